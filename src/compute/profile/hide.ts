/** Groups of so few are not told: one could know who is in them. */
export const largestHidden = 10;

const isSmall = (count: number): boolean => count >= 1 && count <= largestHidden;

/**
 * Hides small counts. Their sum is known from the others, so a single hidden one takes the smallest of the rest with
 * it; then a stranger learns their sum and no part of it.
 */
export const hideSmall = (counts: readonly number[]): (number | null)[] => {
  const hidden = new Set(counts.flatMap((count, index) => (isSmall(count) ? [index] : [])));
  if (hidden.size === 1) {
    const rest = counts.flatMap((count, index) =>
      hidden.has(index) || count === 0 ? [] : [{ count, index }],
    );
    const [next] = rest.toSorted((one, other) => one.count - other.count);
    if (next) hidden.add(next.index);
  }
  return counts.map((count, index) => (hidden.has(index) ? null : count));
};
