export { CommentRevision } from './comment-revision.entity.js';
export { Comment, commentSubject, type CommentSubject } from './comment.entity.js';
export { addComment, commentOnReview, editComment } from './comments.commands.js';
export { namesOf } from './subject-names.js';
export { writeComment, type NewComment, type WrittenComment } from './write-comment.js';
