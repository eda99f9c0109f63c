/** Words that judge a person, threaten or promise; a note about a decision has no use for them. */
const unfit =
  /\b(fraud\w*|liar|lying|lie[ds]?|dishonest\w*|suspicious\w*|guilty|criminal\w*|stupid|lazy|worthless|guarantee[ds]?|certainly|obviously|definitely|never|always|denied|rejected)\b|!{1,}/gi;

/** The words of a text that are not fit for a note to a person. */
export const unfitWords = (text: string): string[] =>
  [...text.matchAll(unfit)].map(([word]) => word.toLowerCase());
