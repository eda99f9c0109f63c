export { decideReview, reasonPlace } from './decide-review.js';
export { openReviews } from './open-reviews.js';
export { recordOutcome } from './record-outcome.js';
