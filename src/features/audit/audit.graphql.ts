import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { auditOutcome, type AuditEventView } from './audit-event.js';
import { eraseSubject } from './audit.commands.js';
import { auditEventById, listAuditEvents } from './audit.queries.js';

const OutcomeEnum = enumType(auditOutcome);

@ObjectType('AuditActor', { description: 'Who acted.' })
export class AuditActorType {
  @Field(() => String, { description: '`user`, `service` or `system`.' })
  kind!: string;

  @Field(() => ID)
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Null when nobody of this workspace has the id any more.',
  })
  name!: string | null;

  @Field(() => ID, { nullable: true, description: 'The API token that was used.' })
  tokenId!: string | null;
}

@ObjectType('AuditSubject', { description: 'What something was done to.' })
export class AuditSubjectType {
  @Field(() => String)
  kind!: string;

  @Field(() => ID)
  id!: string;
}

@ObjectType('AuditChange', { description: 'One field that changed.' })
export class AuditChangeType {
  @Field(() => String)
  field!: string;

  @Field(() => GraphQLJSON, { nullable: true })
  from!: unknown;

  @Field(() => GraphQLJSON, { nullable: true })
  to!: unknown;
}

@ObjectType('AuditPersonalData', {
  description: 'What an event tells of a person, opened with that person’s key.',
})
export class AuditPersonalDataType {
  @Field(() => ID)
  subjectId!: string;

  @Field(() => GraphQLJSON, { nullable: true })
  data!: unknown;

  @Field(() => Boolean, { description: 'The key was erased, and the data with it.' })
  erased!: boolean;
}

@ObjectType('AuditEvent', { description: 'Who did what to what, when, from where, and how it ended.' })
export class AuditEventType {
  @Field(() => ID)
  id!: string;

  @Field(() => GraphQLDateTimeISO)
  at!: Date;

  @Field(() => String)
  command!: string;

  @Field(() => ID, { description: 'The same for all events of one command.' })
  commandId!: string;

  @Field(() => OutcomeEnum)
  outcome!: string;

  @Field(() => AuditActorType)
  actor!: AuditActorType;

  @Field(() => AuditSubjectType)
  subject!: AuditSubjectType;

  @Field(() => [AuditChangeType])
  changes!: AuditChangeType[];

  @Field(() => GraphQLJSON)
  facts!: Record<string, unknown>;

  @Field(() => AuditPersonalDataType, { nullable: true })
  personal!: AuditPersonalDataType | null;

  @Field(() => String, { nullable: true, description: 'The request that caused it, as the logs name it.' })
  requestId!: string | null;

  @Field(() => String, { nullable: true })
  door!: string | null;

  @Field(() => String, { description: 'The exact text that was hashed (RFC 8785).' })
  canonical!: string;

  @Field(() => String, {
    description: 'sha256 over a zero byte and the canonical text (RFC 9162), in hexadecimal.',
  })
  leafHash!: string;

  @Field(() => Boolean, {
    description: 'Whether the hash, computed again now, and the stored columns agree with the text.',
  })
  verified!: boolean;
}

const AuditEventPage = pageType('AuditEvent', AuditEventType);

@Resolver()
export class AuditResolver {
  @QueryField(listAuditEvents, () => AuditEventPage)
  auditEvents(
    @QueryArgs(listAuditEvents) args: InputOf<typeof listAuditEvents>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<AuditEventView>> {
    return ask(listAuditEvents, actor, args);
  }

  @QueryField(auditEventById, () => AuditEventType)
  auditEvent(
    @QueryArgs(auditEventById) args: InputOf<typeof auditEventById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<AuditEventView> {
    return ask(auditEventById, actor, args);
  }

  @CommandField(eraseSubject, () => ChangedType)
  eraseSubject(
    @Input(eraseSubject) input: InputOf<typeof eraseSubject>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(eraseSubject, actor, input);
  }
}
