const mostText = 900;

/**
 * The first line of what the engine says, without what it quotes: it names the file by its place here, which says
 * nothing to anybody, and shows values of rows, which are nobody's business.
 */
export const short = (error: unknown, path: string): string =>
  (error instanceof Error ? error.message : String(error))
    .replaceAll(path, 'the file')
    .split('\n', 1)[0]
    ?.replace(/"[^"]*"?|'[^']*'?/g, '…')
    .replace(/[\p{C}\s]+/gu, ' ')
    .slice(0, mostText)
    .trim() ?? '';

/** JSON of a stranger; null when it is none. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};
