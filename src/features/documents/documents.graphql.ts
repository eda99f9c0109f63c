import type { GraphQLResolveInfo } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, Info, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { pageType } from '../../graphql/page-type.js';
import { requireTrustworthy } from '../../graphql/trusted.js';
import { registerDocuments, type Registered } from './documents.commands.js';
import { listDocuments, type DocumentView } from './documents.queries.js';

@ObjectType('RegisteredDocument', { description: 'A document that may be run by its sha256.' })
export class RegisteredDocumentType {
  @Field(() => ID, { description: 'The id under which the audit trail knows it.' })
  id!: string;

  @Field(() => String, { description: 'Send it as `documentId`.' })
  sha256!: string;
}

@ObjectType('TrustedDocument', { description: 'A registered GraphQL document of this workspace.' })
export class TrustedDocumentType {
  @Field(() => ID, { description: 'The id under which the audit trail knows it.' })
  id!: string;

  @Field(() => String, { description: 'Send it as `documentId`.' })
  sha256!: string;

  @Field(() => String, { description: 'What people call it.' })
  name!: string;

  @Field(() => String, { description: 'The document, byte for byte.' })
  text!: string;

  @Field(() => String, { description: 'The id of who registered it.' })
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was registered.' })
  createdAt!: Date;
}

export const TrustedDocumentPage = pageType('TrustedDocument', TrustedDocumentType);

@Resolver()
export class DocumentsResolver {
  @QueryField(listDocuments, () => TrustedDocumentPage)
  documents(
    @QueryArgs(listDocuments) args: InputOf<typeof listDocuments>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<DocumentView>> {
    return ask(listDocuments, actor, args);
  }

  @CommandField(registerDocuments, () => [RegisteredDocumentType])
  registerDocuments(
    @Input(registerDocuments) input: InputOf<typeof registerDocuments>,
    @Ctx() { run, actor }: Context,
    @Info() { schema }: GraphQLResolveInfo,
  ): Promise<readonly Registered[]> {
    // The schema is known at this door only. What got past it would still not run: compiling checks again.
    requireTrustworthy(
      schema,
      input.documents.map(({ text }) => text),
    );
    return run(registerDocuments, actor, input);
  }
}
