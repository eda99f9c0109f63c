import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { commentSubject, commentVia } from './comment.entity.js';
import {
  addComment,
  commentOnReview,
  deleteComment,
  editComment,
  moderateComment,
} from './comments.commands.js';
import { commentHistory, listComments, type CommentView, type RevisionView } from './comments.queries.js';
import type { WrittenComment } from './write-comment.js';

const SubjectEnum = enumType(commentSubject);
const ViaEnum = enumType(commentVia);

@ObjectType('Mention', { description: 'A member whom a comment calls.' })
export class MentionType {
  @Field(() => ID)
  userId!: string;

  @Field(() => String)
  handle!: string;

  @Field(() => String)
  name!: string;
}

@ObjectType('Comment', { description: 'What somebody said about a thing.' })
export class CommentType {
  @Field(() => ID)
  id!: string;

  @Field(() => SubjectEnum)
  subjectKind!: string;

  @Field(() => ID)
  subjectId!: string;

  @Field(() => ID)
  authorId!: string;

  @Field(() => String, { nullable: true })
  authorName!: string | null;

  @Field(() => ViaEnum, { description: 'Where it was written.' })
  via!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Markdown, as it was written. Null when it was deleted, or when the data of the person it tells of was erased.',
  })
  text!: string | null;

  @Field(() => Int)
  revision!: number;

  @Field(() => [MentionType])
  mentioned!: MentionType[];

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  editedAt!: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  deletedAt!: Date | null;

  @Field(() => String, { nullable: true })
  deletedBy!: string | null;

  @Field(() => String, { nullable: true })
  deleteReason!: string | null;

  @Field(() => Boolean)
  viewerCanEdit!: boolean;
}

@ObjectType('CommentRevision', { description: 'What a comment said at one time.' })
export class CommentRevisionType {
  @Field(() => ID)
  id!: string;

  @Field(() => Int)
  revision!: number;

  @Field(() => String, { nullable: true })
  text!: string | null;

  @Field(() => GraphQLDateTimeISO)
  writtenAt!: Date;
}

@ObjectType('WrittenComment', { description: 'What came of writing a comment.' })
export class WrittenCommentType {
  @Field(() => ID)
  id!: string;

  @Field(() => [MentionType], { description: 'The members who are told.' })
  mentioned!: MentionType[];

  @Field(() => [String], { description: 'Handles that nobody here has: nobody is told of them.' })
  unknownMentions!: string[];
}

const CommentPage = pageType('Comment', CommentType);
const RevisionPage = pageType('CommentRevision', CommentRevisionType);

@Resolver()
export class CommentsResolver {
  @QueryField(listComments, () => CommentPage)
  comments(
    @QueryArgs(listComments) args: InputOf<typeof listComments>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<CommentView>> {
    return ask(listComments, actor, args);
  }

  @QueryField(commentHistory, () => RevisionPage)
  commentHistory(
    @QueryArgs(commentHistory) args: InputOf<typeof commentHistory>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<RevisionView>> {
    return ask(commentHistory, actor, args);
  }

  @CommandField(addComment, () => WrittenCommentType)
  addComment(
    @Input(addComment) input: InputOf<typeof addComment>,
    @Ctx() { run, actor }: Context,
  ): Promise<WrittenComment> {
    return run(addComment, actor, input);
  }

  @CommandField(commentOnReview, () => WrittenCommentType)
  commentOnReview(
    @Input(commentOnReview) input: InputOf<typeof commentOnReview>,
    @Ctx() { run, actor }: Context,
  ): Promise<WrittenComment> {
    return run(commentOnReview, actor, input);
  }

  @CommandField(editComment, () => WrittenCommentType)
  editComment(
    @Input(editComment) input: InputOf<typeof editComment>,
    @Ctx() { run, actor }: Context,
  ): Promise<WrittenComment> {
    return run(editComment, actor, input);
  }

  @CommandField(deleteComment, () => ChangedType)
  deleteComment(
    @Input(deleteComment) input: InputOf<typeof deleteComment>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteComment, actor, input);
  }

  @CommandField(moderateComment, () => ChangedType)
  moderateComment(
    @Input(moderateComment) input: InputOf<typeof moderateComment>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(moderateComment, actor, input);
  }
}
