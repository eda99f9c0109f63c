/**
 * Signs of text that speaks to a language model instead of to a person. A detector is a hint and never a lock: the
 * decision does not depend on the note at all, and a note with such signs goes to a person.
 */
const signs: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  {
    name: 'override',
    pattern:
      /\b(ignore|disregard|forget|override|bypass)\b.{0,40}\b(instructions?|rules?|prompts?|polic(y|ies)|above|previous)\b/is,
  },
  { name: 'role-play', pattern: /\b(you are now|act as|pretend to be|new instructions?)\b/i },
  {
    name: 'system-prompt',
    pattern: /\b(system|developer)\s*(prompt|message)\b|<\/?(system|assistant|user)>|\[INST\]/i,
  },
  {
    name: 'command',
    pattern: /\b(must|always|immediately)\s+(accept|approve|output|respond|reply|answer)\b/i,
  },
  { name: 'hidden-text', pattern: /[\u200B-\u200F\u202A-\u202E\u2060-\u2064\uFEFF]|[\u{E0000}-\u{E007F}]/u },
];

/** Names of the signs of injection in a text. */
export const injectionSigns = (text: string): string[] => {
  const plain = text.normalize('NFKC');
  return signs.filter(({ pattern }) => pattern.test(plain)).map(({ name }) => name);
};
