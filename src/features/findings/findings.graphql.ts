import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { findingSeverity, findingState, findingSubject } from './finding.entity.js';
import { createFinding, resolveFinding } from './findings.commands.js';
import { findingById, listFindings, type FindingView } from './findings.queries.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const SeverityEnum = enumType(findingSeverity);
const StateEnum = enumType(findingState);
const SubjectEnum = enumType(findingSubject);

@ObjectType('Finding', { description: 'Something wrong or open, with severity, owner and due date.' })
export class FindingType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  title!: string;

  @Field(() => String)
  detail!: string;

  @Field(() => SeverityEnum)
  severity!: string;

  @Field(() => StateEnum)
  state!: string;

  @Field(() => ID)
  ownerId!: string;

  @Field(() => String, { nullable: true })
  ownerName!: string | null;

  @Field(() => GraphQLDateTimeISO)
  dueAt!: Date;

  @Field(() => Boolean, { description: 'Whether it is open and past its date.' })
  overdue!: boolean;

  @Field(() => SubjectEnum)
  subjectKind!: string;

  @Field(() => ID)
  subjectId!: string;

  @Field(() => ID, { nullable: true, description: 'The request whose conditional approval opened it.' })
  changeRequestId!: string | null;

  @Field(() => String)
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => String, { nullable: true })
  resolution!: string | null;

  @Field(() => String, { nullable: true })
  resolvedBy!: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  resolvedAt!: Date | null;
}

const FindingPage = pageType('Finding', FindingType);

@Resolver()
export class FindingsResolver {
  @QueryField(findingById, () => FindingType)
  finding(
    @QueryArgs(findingById) args: InputOf<typeof findingById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<FindingView> {
    return ask(findingById, actor, args);
  }

  @QueryField(listFindings, () => FindingPage)
  findings(
    @QueryArgs(listFindings) args: InputOf<typeof listFindings>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<FindingView>> {
    return ask(listFindings, actor, args);
  }

  @CommandField(createFinding, () => ChangedType)
  createFinding(
    @Input(createFinding) input: InputOf<typeof createFinding>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createFinding, actor, input);
  }

  @CommandField(resolveFinding, () => ChangedType)
  resolveFinding(
    @Input(resolveFinding) input: InputOf<typeof resolveFinding>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(resolveFinding, actor, input);
  }
}
