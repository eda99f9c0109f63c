import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { createEndpoint, requestEndpointResume, suspendEndpoint } from './deployments.commands.js';
import { endpointById, listEndpoints, type EndpointView } from './deployments.queries.js';
import { endpointState } from './endpoint.entity.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const EndpointStateEnum = enumType(endpointState);

@ObjectType('Endpoint', {
  description: 'A door for decisions: it serves what a protected alias names, in one use case.',
})
export class EndpointType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  slug!: string;

  @Field(() => String)
  name!: string;

  @Field(() => ID)
  useCaseId!: string;

  @Field(() => String)
  useCaseName!: string;

  @Field(() => ID)
  modelId!: string;

  @Field(() => String)
  modelName!: string;

  @Field(() => String)
  alias!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'What the alias names now, when it was approved for this use.',
  })
  versionId!: string | null;

  @Field(() => Int, { nullable: true })
  version!: number | null;

  @Field(() => ID, { nullable: true, description: 'The request through which the alias came to name it.' })
  changeRequestId!: string | null;

  @Field(() => EndpointStateEnum)
  state!: string;

  @Field(() => String, { nullable: true })
  suspendedBy!: string | null;

  @Field(() => String, { nullable: true })
  suspendedByName!: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  suspendedAt!: Date | null;

  @Field(() => String, { nullable: true })
  suspensionReason!: string | null;

  @Field(() => ID, { nullable: true, description: 'The open request to resume it.' })
  resumeRequestId!: string | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

const EndpointPage = pageType('Endpoint', EndpointType);

@Resolver()
export class DeploymentsResolver {
  @QueryField(endpointById, () => EndpointType)
  endpoint(
    @QueryArgs(endpointById) args: InputOf<typeof endpointById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<EndpointView> {
    return ask(endpointById, actor, args);
  }

  @QueryField(listEndpoints, () => EndpointPage)
  endpoints(
    @QueryArgs(listEndpoints) args: InputOf<typeof listEndpoints>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<EndpointView>> {
    return ask(listEndpoints, actor, args);
  }

  @CommandField(createEndpoint, () => ChangedType)
  createEndpoint(
    @Input(createEndpoint) input: InputOf<typeof createEndpoint>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createEndpoint, actor, input);
  }

  @CommandField(suspendEndpoint, () => ChangedType)
  suspendEndpoint(
    @Input(suspendEndpoint) input: InputOf<typeof suspendEndpoint>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(suspendEndpoint, actor, input);
  }

  @CommandField(requestEndpointResume, () => ChangedType)
  requestEndpointResume(
    @Input(requestEndpointResume) input: InputOf<typeof requestEndpointResume>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(requestEndpointResume, actor, input);
  }
}
