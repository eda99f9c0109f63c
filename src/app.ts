import { join } from 'node:path';
import type { GraphQLSchema } from 'graphql';
import { openAccess, type Access } from './kernel/access.js';
import { systemClock, type Clock } from './kernel/clock.js';
import { commandRunner, type Machine, type RunCommand } from './kernel/command.js';
import { openDb, type Db, type EntityClass } from './kernel/db.js';
import type { AnyJob, Reaction } from './kernel/job.js';
import type { Log } from './kernel/log.js';
import { openMetrics, type Metrics } from './kernel/metrics.js';
import { queryRunner, type AskQuery } from './kernel/query.js';
import { recordRunner, type RunRecord } from './kernel/record.js';
import { installationRoot } from './kernel/root.js';
import type { Keyring } from './kernel/sealing.js';
import type { Tick } from './kernel/tick.js';
import { createSchema, type ResolverClass } from './graphql/schema.js';
import type { Routes } from './http/routes.js';
import {
  ChangeRequestFields,
  RequirementFields,
} from './features/approvals/approvals.graphql/nested.graphql.js';
import { ApprovalsResolver } from './features/approvals/approvals.graphql/resolver.graphql.js';
import { expireChangeJob } from './features/approvals/approvals.jobs/expire-change.js';
import { refreshRequests } from './features/approvals/approvals.jobs/refresh-requests.js';
import { Approval, ApprovalPolicy, ChangeRequest } from './features/approvals/index.js';
import { AuditResolver } from './features/audit/audit.graphql.js';
import { auditRoutes } from './features/audit/audit.http.js';
import { CardsResolver } from './features/cards/cards.graphql.js';
import { ModelCard } from './features/cards/index.js';
import { ActivityResolver } from './features/comments/activity.graphql.js';
import { CommentsResolver } from './features/comments/comments.graphql.js';
import { Comment, CommentRevision } from './features/comments/index.js';
import { DeploymentsResolver } from './features/deployments/deployments.graphql.js';
import { resumeApproved } from './features/deployments/deployments.jobs.js';
import { endAbandoned, HumanReview, Outcome, runDecisions } from './features/decisions/index.js';
import { DecisionsResolver } from './features/decisions/decisions.graphql/resolver.graphql.js';
import { Endpoint } from './features/deployments/index.js';
import { DocumentsResolver } from './features/documents/documents.graphql.js';
import { TrustedDocument } from './features/documents/index.js';
import {
  EvaluationsResolver,
  EvidenceFields,
} from './features/evaluations/evaluations.graphql/resolver.graphql.js';
import { noteFailedEvaluation, runEvaluation } from './features/evaluations/evaluations.jobs.js';
import { Evaluation, Evidence } from './features/evaluations/index.js';
import { FindingsResolver } from './features/findings/findings.graphql.js';
import { Finding } from './features/findings/index.js';
import { ApiToken, RoleRule, ServiceAccount } from './features/identity/index.js';
import { jobRoutes } from './features/jobs/jobs.http.js';
import { JobsResolver } from './features/jobs/jobs.graphql.js';
import { IdentityCommandsResolver, IdentityQueriesResolver } from './features/identity/identity.graphql.js';
import { Artifact, ModelAlias, ModelTag, ModelVersion, RegisteredModel } from './features/registry/index.js';
import {
  LineageFields,
  ModelAliasFields,
  ModelFields,
  ModelVersionFields,
} from './features/registry/registry.graphql/nested.graphql.js';
import { RegistryResolver } from './features/registry/registry.graphql/resolver.graphql.js';
import { registryRoutes } from './features/registry/registry.http.js';
import { intake, noteFailedIntake } from './features/registry/registry.jobs.js';
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
import { announceChange } from './features/notifications/notifications.jobs.js';
import {
  deliveryTick,
  digestJob,
  digestTick,
  lookAheadJob,
  lookAheadTick,
} from './features/notifications/notifications.jobs/clock.js';
import { deliverJob } from './features/notifications/notifications.jobs/deliver.js';
import { tellOfChanges } from './features/notifications/notifications.jobs/tell-of-changes.js';
import { InboxResolver } from './features/notifications/notifications.graphql/inbox.graphql.js';
import { WebhooksResolver } from './features/notifications/notifications.graphql/webhooks.graphql.js';
import { runScheduleJob, scheduleTick } from './features/reports/due-schedules.js';
import { Report, ReportSchedule, ReportScheduleRun } from './features/reports/index.js';
import { ReportsResolver } from './features/reports/reports.graphql.js';
import { reportRoutes } from './features/reports/reports.http.js';
import { noteFailedReport, renderJob } from './features/reports/reports.jobs.js';
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
  RegisteredModel,
  ModelVersion,
  Artifact,
  ModelAlias,
  ModelTag,
  Evaluation,
  Evidence,
  Finding,
  ModelCard,
  ApprovalPolicy,
  ChangeRequest,
  Approval,
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
  RegistryResolver,
  ModelFields,
  ModelVersionFields,
  ModelAliasFields,
  LineageFields,
  EvaluationsResolver,
  EvidenceFields,
  FindingsResolver,
  CardsResolver,
  ApprovalsResolver,
  ChangeRequestFields,
  RequirementFields,
  DeploymentsResolver,
  DecisionsResolver,
  ReportsResolver,
  CommentsResolver,
  ActivityResolver,
  NotificationsResolver,
  InboxResolver,
  WebhooksResolver,
];

/** The HTTP routes of all features. */
export const routes: readonly Routes[] = [jobRoutes, auditRoutes, registryRoutes, reportRoutes];

/** The jobs of all features. */
export const jobs: readonly AnyJob[] = [
  intake,
  runEvaluation,
  expireChangeJob,
  runDecisions,
  renderJob,
  runScheduleJob,
  deliverJob,
  digestJob,
  lookAheadJob,
];

/** The reactions of all features. */
export const reactions: readonly Reaction[] = [
  noteFailedIntake,
  noteFailedEvaluation,
  refreshRequests,
  resumeApproved,
  endAbandoned,
  noteFailedReport,
  announceChange,
  tellOfChanges,
];

/** What the clock of schedules looks at. */
export const ticks: readonly Tick[] = [scheduleTick, deliveryTick, digestTick, lookAheadTick];

/** What the composition root is given. */
export interface AppOptions {
  readonly databaseUrl: string;
  readonly keyring: Keyring;
  readonly log: Log;
  readonly clock?: Clock;
  readonly name: string;
  /** Connections per role; a worker and an api need different numbers. */
  readonly poolSize?: { app_writer: number; app_reader: number; app_system: number };
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

const defaultPool = { app_writer: 8, app_reader: 8, app_system: 6 };

/** Wires the application: database, access, runners, schema. The only file that knows every feature. */
export const openApp = async (options: AppOptions): Promise<App> => {
  const { log } = options;
  const metrics = openMetrics();
  const clock = options.clock ?? systemClock;
  const [access, db, schema] = await Promise.all([
    openAccess(join(installationRoot, 'policies')),
    openDb({
      url: options.databaseUrl,
      entities,
      poolSize: options.poolSize ?? defaultPool,
      statementTimeoutMs: 30_000,
      name: options.name,
      onError: (error) => {
        log.warn({ err: error }, 'A database connection was lost');
      },
    }),
    createSchema(resolvers),
  ]);
  const machine: Machine = {
    db,
    access,
    clock,
    keyring: options.keyring,
    reactions,
    observe: metrics.observe,
  };
  return {
    db,
    access,
    clock,
    log,
    metrics,
    schema,
    keyring: options.keyring,
    run: commandRunner(machine),
    ask: queryRunner(machine),
    record: recordRunner(machine),
    jobs: new Map([...jobs, ...reactions].map((job) => [job.name, job])),
    close: () => db.close(),
  };
};
