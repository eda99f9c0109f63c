import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { incidentKind, incidentState, incidentVerdict } from './incident.entity.js';
import { reviewIncident } from './incidents.commands.js';
import { incidentById, listIncidents, type IncidentView } from './incidents.queries.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const KindEnum = enumType(incidentKind);
const StateEnum = enumType(incidentState);
const VerdictEnum = enumType(incidentVerdict);

@ObjectType('Incident', {
  description: 'What went out of the ordinary and must be looked at by somebody independent.',
})
export class IncidentType {
  @Field(() => ID)
  id!: string;

  @Field(() => KindEnum)
  kind!: string;

  @Field(() => String)
  title!: string;

  @Field(() => String)
  detail!: string;

  @Field(() => StateEnum)
  state!: string;

  @Field(() => ID)
  modelId!: string;

  @Field(() => ID)
  versionId!: string;

  @Field(() => ID)
  changeRequestId!: string;

  @Field(() => String)
  openedBy!: string;

  @Field(() => String, { nullable: true })
  openedByName!: string | null;

  @Field(() => GraphQLDateTimeISO)
  openedAt!: Date;

  @Field(() => GraphQLDateTimeISO, { description: 'Until then somebody independent looks at it.' })
  reviewDueAt!: Date;

  @Field(() => Boolean, { description: 'Its time is over; it blocks the next promotion of the model.' })
  overdue!: boolean;

  @Field(() => VerdictEnum, { nullable: true })
  verdict!: string | null;

  @Field(() => String, { nullable: true })
  review!: string | null;

  @Field(() => String, { nullable: true })
  reviewedBy!: string | null;

  @Field(() => String, { nullable: true })
  reviewedByName!: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  reviewedAt!: Date | null;
}

const IncidentPage = pageType('Incident', IncidentType);

@Resolver()
export class IncidentsResolver {
  @QueryField(incidentById, () => IncidentType)
  incident(
    @QueryArgs(incidentById) args: InputOf<typeof incidentById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<IncidentView> {
    return ask(incidentById, actor, args);
  }

  @QueryField(listIncidents, () => IncidentPage)
  incidents(
    @QueryArgs(listIncidents) args: InputOf<typeof listIncidents>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<IncidentView>> {
    return ask(listIncidents, actor, args);
  }

  @CommandField(reviewIncident, () => ChangedType)
  reviewIncident(
    @Input(reviewIncident) input: InputOf<typeof reviewIncident>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(reviewIncident, actor, input);
  }
}
