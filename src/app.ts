import { join } from 'node:path';
import type { GraphQLSchema } from 'graphql';
import { type Access, openAccess } from './kernel/access.js';
import { type Clock, systemClock } from './kernel/clock.js';
import { commandRunner, type Machine, type RunCommand } from './kernel/command.js';
import type { Consequence } from './kernel/consequence.js';
import { type Db, type EntityClass, openDb } from './kernel/db.js';
import type { AnyJob, Reaction } from './kernel/job.js';
import type { Log } from './kernel/log.js';
import { type Metrics, openMetrics } from './kernel/metrics.js';
import { type AskQuery, queryRunner } from './kernel/query.js';
import { recordRunner, type RunRecord } from './kernel/record.js';
import { installationRoot } from './kernel/root.js';
import type { Keyring } from './kernel/sealing.js';
import type { Signer } from './kernel/signer.js';
import type { Tick } from './kernel/tick.js';
import { createSchema, type ResolverClass } from './graphql/schema.js';
import type { Routes } from './http/routes.js';
import { DelegationsResolver } from './features/approvals/approvals.graphql/delegation.graphql.js';
import {
  AliasApprovalFields,
  ChangeRequestFields,
  RequirementFields,
} from './features/approvals/approvals.graphql/nested.graphql.js';
import { ApprovalsResolver } from './features/approvals/approvals.graphql/resolver.graphql.js';
import { RollbackResolver } from './features/approvals/approvals.graphql/rollback.graphql.js';
import { approvalRoutes } from './features/approvals/approvals.http.js';
import { expireChangeJob } from './features/approvals/approvals.jobs/expire-change.js';
import { approvalReactions } from './features/approvals/approvals.jobs/refresh-requests.js';
import {
  Approval,
  ApprovalPolicy,
  ChangeRequest,
  Delegation,
  leadingOn,
  startingPolicies,
} from './features/approvals/index.js';
import { AttestationsResolver } from './features/attestations/attestations.graphql.js';
import { attestationRoutes } from './features/attestations/attestations.http.js';
import {
  reconcileRuntimeJob,
  runtimeTick,
  watchRuntimesJob,
} from './features/attestations/attestations.jobs.js';
import {
  Attestation,
  AttestationRevocation,
  keepAttestations,
  Runtime,
} from './features/attestations/index.js';
import { AuditResolver } from './features/audit/audit.graphql.js';
import { auditRoutes } from './features/audit/audit.http.js';
import { CardsResolver } from './features/cards/cards.graphql.js';
import { cardRoutes } from './features/cards/cards.http.js';
import { CardComparisonFields } from './features/cards/comparison.graphql.js';
import { CardExportsResolver } from './features/cards/exports.graphql.js';
import { CardRevision, ModelCard } from './features/cards/index.js';
import { ChecksResolver } from './features/checks/checks.graphql.js';
import { checkRoutes } from './features/checks/checks.http.js';
import { ActivityResolver } from './features/comments/activity.graphql.js';
import { CommentsResolver } from './features/comments/comments.graphql.js';
import { Comment, CommentRevision } from './features/comments/index.js';
import {
  DatasetsResolver,
  DatasetVersionFields,
  VersionDataFields,
} from './features/datasets/datasets.graphql.js';
import { datasetRoutes } from './features/datasets/datasets.http.js';
import { DataQualityResolver } from './features/datasets/data-quality.graphql.js';
import {
  checkData,
  noteFailedCheck,
  noteFailedProfile,
  profileDataset,
} from './features/datasets/datasets.jobs.js';
import { DataQualityCheck, Dataset, DatasetVersion } from './features/datasets/index.js';
import { DecisionsResolver } from './features/decisions/decisions.graphql/resolver.graphql.js';
import { endAbandoned, HumanReview, Outcome, runDecisions } from './features/decisions/index.js';
import { DeploymentsResolver } from './features/deployments/deployments.graphql.js';
import { resumeApproved } from './features/deployments/deployments.jobs.js';
import { Endpoint } from './features/deployments/index.js';
import { DocumentsResolver } from './features/documents/documents.graphql.js';
import { TrustedDocument } from './features/documents/index.js';
import { ageingTick, warnOfAgeJob } from './features/evaluations/ageing.js';
import { evaluationResolvers } from './features/evaluations/evaluations.graphql/resolver.graphql.js';
import { noteFailedEvaluation, runEvaluation } from './features/evaluations/evaluations.jobs.js';
import { evaluationEntities } from './features/evaluations/index.js';
import { FindingsResolver } from './features/findings/findings.graphql.js';
import { Finding } from './features/findings/index.js';
import { IdentityCommandsResolver, IdentityQueriesResolver } from './features/identity/identity.graphql.js';
import { ApiToken, RoleRule, ServiceAccount } from './features/identity/index.js';
import { IncidentsResolver } from './features/incidents/incidents.graphql.js';
import { Incident } from './features/incidents/index.js';
import { JobsResolver } from './features/jobs/jobs.graphql.js';
import { jobRoutes } from './features/jobs/jobs.http.js';
import { carryAliases, mlflowJobs, mlflowReactions, upstreamTick } from './features/mlflow/index.js';
import { MlflowResolver } from './features/mlflow/mlflow.graphql.js';
import {
  Delivery,
  InboxItem,
  News,
  Notification,
  NotificationAddress,
  NotificationPreference,
  Webhook,
  WebhookSecret,
} from './features/notifications/index.js';
import { NotificationsResolver } from './features/notifications/notifications.graphql.js';
import { InboxResolver } from './features/notifications/notifications.graphql/inbox.graphql.js';
import { WebhooksResolver } from './features/notifications/notifications.graphql/webhooks.graphql.js';
import { announceAgeing } from './features/notifications/notifications.jobs/announce-ageing.js';
import { announceMismatch } from './features/notifications/notifications.jobs/announce-mismatch.js';
import {
  deliveryTick,
  digestJob,
  digestTick,
  lookAheadJob,
  lookAheadTick,
} from './features/notifications/notifications.jobs/clock.js';
import { deliverJob } from './features/notifications/notifications.jobs/deliver.js';
import { tellOfChanges } from './features/notifications/notifications.jobs/tell-of-changes.js';
import { Artifact, ModelAlias, ModelTag, ModelVersion, RegisteredModel } from './features/registry/index.js';
import { ComparisonResolver } from './features/registry/registry.graphql/compare.graphql.js';
import { LineageResolver } from './features/registry/registry.graphql/lineage.graphql.js';
import {
  LineageFields,
  ModelAliasFields,
  ModelFields,
  ModelVersionFields,
} from './features/registry/registry.graphql/nested.graphql.js';
import { RegistryResolver } from './features/registry/registry.graphql/resolver.graphql.js';
import { SearchResolver } from './features/registry/registry.graphql/search.graphql.js';
import { TimeTravelResolver } from './features/registry/registry.graphql/time-travel.graphql.js';
import { registryRoutes } from './features/registry/registry.http.js';
import { intake, noteFailedIntake } from './features/registry/registry.jobs.js';
import { runScheduleJob, scheduleTick } from './features/reports/due-schedules.js';
import { Report, ReportSchedule, ReportScheduleRun } from './features/reports/index.js';
import { ReportsResolver } from './features/reports/reports.graphql.js';
import { reportRoutes } from './features/reports/reports.http.js';
import { noteFailedReport, renderJob } from './features/reports/reports.jobs.js';
import { RiskAssessment } from './features/risk/index.js';
import { RiskResolver } from './features/risk/risk.graphql.js';
import { SlackDelivery, SlackLink, SlackMessage, SlackSetting } from './features/slack/index.js';
import { SlackResolver } from './features/slack/slack.graphql.js';
import { deliver } from './features/slack/slack.jobs/deliver.js';
import { followRequests } from './features/slack/slack.jobs/follow.js';
import { handleInteraction } from './features/slack/slack.jobs/handle.js';
import { nudgeJob } from './features/slack/slack.jobs/nudge.js';
import { deliveriesTick } from './features/slack/slack.jobs/tick.js';
import { wakeJob } from './features/slack/slack.jobs/wake.js';
import { Experiment, LoggedModel, TrackedFile } from './features/tracking/index.js';
import { UseCase } from './features/usecases/index.js';
import { UseCasesResolver } from './features/usecases/usecases.graphql.js';
import { AppUser, Member, Organization, Workspace } from './features/workspaces/index.js';
import { WorkspacesResolver } from './features/workspaces/workspaces.graphql.js';

/** The tables that TypeORM maps, in the order of the features. */
export const entities: readonly EntityClass[] = [
  Organization,
  Workspace,
  AppUser,
  Member,
  RoleRule,
  ServiceAccount,
  ApiToken,
  TrustedDocument,
  UseCase,
  Dataset,
  DatasetVersion,
  DataQualityCheck,
  RiskAssessment,
  RegisteredModel,
  ModelVersion,
  Artifact,
  ModelAlias,
  ModelTag,
  Experiment,
  LoggedModel,
  TrackedFile,
  ...evaluationEntities,
  Finding,
  Incident,
  ModelCard,
  CardRevision,
  ApprovalPolicy,
  ChangeRequest,
  Approval,
  Delegation,
  Attestation,
  AttestationRevocation,
  Runtime,
  Endpoint,
  HumanReview,
  Outcome,
  Report,
  ReportSchedule,
  ReportScheduleRun,
  Comment,
  CommentRevision,
  Notification,
  News,
  InboxItem,
  NotificationPreference,
  NotificationAddress,
  Webhook,
  WebhookSecret,
  Delivery,
  SlackSetting,
  SlackLink,
  SlackMessage,
  SlackDelivery,
];

/** The resolvers of all features. */
export const resolvers: readonly ResolverClass[] = [
  WorkspacesResolver,
  JobsResolver,
  IdentityQueriesResolver,
  IdentityCommandsResolver,
  DocumentsResolver,
  AuditResolver,
  UseCasesResolver,
  DatasetsResolver,
  DatasetVersionFields,
  DataQualityResolver,
  VersionDataFields,
  RiskResolver,
  RegistryResolver,
  SearchResolver,
  TimeTravelResolver,
  ComparisonResolver,
  LineageResolver,
  ModelFields,
  ModelVersionFields,
  ModelAliasFields,
  LineageFields,
  ...evaluationResolvers,
  FindingsResolver,
  IncidentsResolver,
  CardsResolver,
  CardComparisonFields,
  ChecksResolver,
  CardExportsResolver,
  ApprovalsResolver,
  RollbackResolver,
  AliasApprovalFields,
  DelegationsResolver,
  ChangeRequestFields,
  RequirementFields,
  AttestationsResolver,
  DeploymentsResolver,
  DecisionsResolver,
  ReportsResolver,
  CommentsResolver,
  ActivityResolver,
  NotificationsResolver,
  InboxResolver,
  WebhooksResolver,
  SlackResolver,
  MlflowResolver,
];

/** The HTTP routes of all features. */
export const routes: readonly Routes[] = [
  jobRoutes,
  auditRoutes,
  datasetRoutes,
  registryRoutes,
  checkRoutes,
  approvalRoutes,
  cardRoutes,
  attestationRoutes,
  reportRoutes,
];

/** The jobs of all features. */
export const jobs: readonly AnyJob[] = [
  profileDataset,
  checkData,
  intake,
  runEvaluation,
  warnOfAgeJob,
  expireChangeJob,
  reconcileRuntimeJob,
  watchRuntimesJob,
  runDecisions,
  renderJob,
  runScheduleJob,
  deliverJob,
  digestJob,
  lookAheadJob,
  handleInteraction,
  nudgeJob,
  wakeJob,
  ...mlflowJobs,
];

/** The reactions of all features. */
export const reactions: readonly Reaction[] = [
  noteFailedProfile,
  noteFailedCheck,
  noteFailedIntake,
  noteFailedEvaluation,
  ...approvalReactions,
  resumeApproved,
  endAbandoned,
  noteFailedReport,
  tellOfChanges,
  followRequests,
  deliver,
  announceAgeing,
  announceMismatch,
  ...mlflowReactions,
];

/** What must happen in the transaction of somebody else's change. */
export const consequences: readonly Consequence[] = [keepAttestations];

/** What the clock of schedules looks at. */
export const ticks: readonly Tick[] = [
  runtimeTick,
  scheduleTick,
  deliveryTick,
  digestTick,
  lookAheadTick,
  deliveriesTick,
  ageingTick,
  upstreamTick,
];

/** What the composition root is given. */
export interface AppOptions {
  readonly databaseUrl: string;
  readonly keyring: Keyring;
  readonly signer: Signer;
  readonly log: Log;
  readonly clock?: Clock;
  readonly name: string;
  /** Connections per role; a worker and an api need different numbers. */
  readonly poolSize?: { app_writer: number; app_reader: number; app_system: number };
  /** Without a server behind /mlflow, nothing waits to be carried there. */
  readonly hasUpstream?: boolean;
}

/** The application without its doors: what every process has. */
export interface App {
  readonly db: Db;
  readonly access: Access;
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecord;
  readonly schema: GraphQLSchema;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly keyring: Keyring;
  /** Jobs and reactions by name. */
  readonly jobs: ReadonlyMap<string, AnyJob>;
  close(): Promise<void>;
}

/** Wires the application: database, access, runners, schema. The only file that knows every feature. */
export const openApp = async (options: AppOptions): Promise<App> => {
  const { log } = options;
  // A faulty policy stops the start, not the first request that needs it.
  startingPolicies();
  const metrics = openMetrics();
  const clock = options.clock ?? systemClock;
  const [access, db, schema] = await Promise.all([
    openAccess(join(installationRoot, 'policies')),
    openDb({
      url: options.databaseUrl,
      entities,
      poolSize: options.poolSize ?? { app_writer: 8, app_reader: 8, app_system: 6 },
      statementTimeoutMs: 30_000,
      name: options.name,
      onError: (error) => {
        log.warn({ err: error }, 'A database connection was lost');
      },
    }),
    createSchema(resolvers),
  ]);
  const shared = { db, access, clock, keyring: options.keyring };
  const { observe } = metrics;
  const following = options.hasUpstream ? reactions : reactions.filter((one) => one !== carryAliases);
  const machine: Machine = { ...shared, signer: options.signer, consequences, reactions: following, observe };
  return {
    ...shared,
    log,
    metrics,
    schema,
    run: leadingOn(commandRunner(machine)),
    ask: queryRunner(machine),
    record: recordRunner(machine),
    jobs: new Map([...jobs, ...reactions].map((job) => [job.name, job])),
    close: () => db.close(),
  };
};
