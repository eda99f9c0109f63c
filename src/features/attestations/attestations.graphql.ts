import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import {
  CommandField,
  Input,
  QueryArgs,
  QueryField,
  RecordField,
  type InputOf,
} from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { retireRuntime } from './attestations.commands/reconcile-runtime.js';
import { revokeAttestation } from './attestations.commands/revoke.js';
import {
  attestationBy,
  attestationState,
  listAttestations,
  type AttestationView,
} from './attestations.queries/attestations.js';
import { listRuntimes, type RuntimeView } from './attestations.queries/runtimes.js';
import { reportDeployment, type Reported } from './attestations.records.js';
import { revocationReason } from './proof/revocations.js';
import { runtimeState } from './runtime.entity.js';

// Enums that no input uses are made known before the schema is built.
const AttestationStateEnum = enumType(attestationState);
const RevocationReasonEnum = enumType(revocationReason);
const RuntimeStateEnum = enumType(runtimeState);

@ObjectType('AttestationRevocation', {
  description: 'Why an attestation does not hold, or did not for a while.',
})
class AttestationRevocationType {
  @Field(() => RevocationReasonEnum)
  reason!: string;

  @Field(() => String, { description: 'In the words of who took it back; empty when it followed by itself.' })
  detail!: string;

  @Field(() => String)
  revokedBy!: string;

  @Field(() => String)
  revokedAt!: string;

  @Field(() => String, { nullable: true })
  liftedAt!: string | null;
}

@ObjectType('Attestation', { description: 'The signed statement that an executed approval left behind.' })
class AttestationType {
  @Field(() => ID)
  id!: string;

  @Field(() => Int)
  number!: number;

  @Field(() => ID)
  changeRequestId!: string;

  @Field(() => Int)
  changeRequestNumber!: number;

  @Field(() => ID)
  modelId!: string;

  @Field(() => String)
  modelName!: string;

  @Field(() => ID)
  versionId!: string;

  @Field(() => Int)
  version!: number;

  @Field(() => ID)
  useCaseId!: string;

  @Field(() => String, { description: 'The short name of the use case.' })
  useCase!: string;

  @Field(() => String)
  alias!: string;

  @Field(() => String)
  environment!: string;

  @Field(() => AttestationStateEnum)
  state!: string;

  @Field(() => String, { description: 'The digest of the folder of the version, as `sha256sum` gives it.' })
  treeSha256!: string;

  @Field(() => String)
  manifestSha256!: string;

  @Field(() => String)
  keyId!: string;

  @Field(() => GraphQLDateTimeISO)
  notBefore!: Date;

  @Field(() => GraphQLDateTimeISO)
  notAfter!: Date;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => [AttestationRevocationType])
  revocations!: AttestationRevocationType[];

  @Field(() => String, { description: 'The DSSE envelope, byte for byte.' })
  envelope!: string;
}

@ObjectType('Runtime', { description: 'A process somewhere that said what it runs, as it was last judged.' })
class RuntimeType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  environment!: string;

  @Field(() => ID)
  modelId!: string;

  @Field(() => String)
  modelName!: string;

  @Field(() => String)
  alias!: string;

  @Field(() => ID, { nullable: true })
  endpointId!: string | null;

  @Field(() => String, { nullable: true, description: 'The short name of the endpoint.' })
  endpoint!: string | null;

  @Field(() => String)
  instance!: string;

  @Field(() => RuntimeStateEnum)
  state!: string;

  @Field(() => GraphQLDateTimeISO)
  since!: Date;

  @Field(() => ID, { nullable: true, description: 'The newest finding about it.' })
  findingId!: string | null;

  @Field(() => [String])
  digests!: string[];

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  reportedAt!: Date | null;
}

@ObjectType('ReportedDigest')
class ReportedDigestType {
  @Field(() => String)
  sha256!: string;

  @Field(() => RuntimeStateEnum)
  state!: string;
}

@ObjectType('DeploymentReported', { description: 'How what was reported compares with what was approved.' })
class DeploymentReportedType {
  @Field(() => ID)
  id!: string;

  @Field(() => RuntimeStateEnum)
  state!: string;

  @Field(() => [ReportedDigestType])
  digests!: ReportedDigestType[];
}

const AttestationPage = pageType('Attestation', AttestationType);
const RuntimePage = pageType('Runtime', RuntimeType);

@Resolver()
export class AttestationsResolver {
  @QueryField(attestationBy, () => AttestationType)
  attestation(
    @QueryArgs(attestationBy) args: InputOf<typeof attestationBy>,
    @Ctx() { ask, actor }: Context,
  ): Promise<AttestationView> {
    return ask(attestationBy, actor, args);
  }

  @QueryField(listAttestations, () => AttestationPage)
  attestations(
    @QueryArgs(listAttestations) args: InputOf<typeof listAttestations>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<AttestationView>> {
    return ask(listAttestations, actor, args);
  }

  @QueryField(listRuntimes, () => RuntimePage)
  runtimes(
    @QueryArgs(listRuntimes) args: InputOf<typeof listRuntimes>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<RuntimeView>> {
    return ask(listRuntimes, actor, args);
  }

  @CommandField(revokeAttestation, () => ChangedType)
  revokeAttestation(
    @Input(revokeAttestation) input: InputOf<typeof revokeAttestation>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(revokeAttestation, actor, input);
  }

  @RecordField(reportDeployment, () => DeploymentReportedType)
  reportDeployment(
    @Input(reportDeployment) input: InputOf<typeof reportDeployment>,
    @Ctx() { record, actor }: Context,
  ): Promise<Reported> {
    return record(reportDeployment, actor, input);
  }

  @CommandField(retireRuntime, () => ChangedType)
  retireRuntime(
    @Input(retireRuntime) input: InputOf<typeof retireRuntime>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(retireRuntime, actor, input);
  }
}
