import { Foundation1763888400000 } from './20261123T0900-foundation.js';
import { Workspaces1763889000000 } from './20261123T0910-workspaces.js';
import { Identity1763890200000 } from './20261123T0920-identity.js';
import { UseCases1763892000000 } from './20261123T1000-usecases.js';
import { Registry1763892600000 } from './20261123T1010-registry.js';
import { Evaluations1763893200000 } from './20261123T1020-evaluations.js';
import { Findings1763893800000 } from './20261123T1030-findings.js';
import { Cards1763894400000 } from './20261123T1040-cards.js';
import { Approvals1763895000000 } from './20261123T1050-approvals.js';
import { Deployments1763895600000 } from './20261123T1100-deployments.js';
import { Decisions1763896200000 } from './20261123T1110-decisions.js';
import { Documents1763898000000 } from './20261123T1140-documents.js';
import { Reports1763898600000 } from './20261123T1150-reports.js';
import { Notifications1763899200000 } from './20261123T1160-notifications.js';
import { Audit1763899800000 } from './20261123T1170-audit.js';
import { Tracking1764244800000 } from './20261127T1200-tracking.js';
import { RegistryProtocol1764245400000 } from './20261127T1210-registry-protocol.js';
import { PolicyModes1764246000000 } from './20261127T1220-policy-modes.js';
import { EvidenceAgeing1764246600000 } from './20261127T1230-evidence-ageing.js';
import { Incidents1764247200000 } from './20261127T1240-incidents.js';
import { Risk1764248400000 } from './20261127T1300-risk.js';
import { CardRevisions1764249000000 } from './20261127T1310-card-revisions.js';
import { Attestations1764249600000 } from './20261127T1320-attestations.js';
import { RegistryDepth1764250200000 } from './20261127T1330-registry-depth.js';
import { Datasets1764250800000 } from './20261127T1340-datasets.js';
import { Slack1764252000000 } from './20261127T1400-slack.js';
import { Comments1764252600000 } from './20261127T1410-comments.js';
import { News1764253200000 } from './20261127T1420-news.js';
import { MlflowUpstream1764253800000 } from './20261127T1430-mlflow-upstream.js';
import { Drift1764255000000 } from './20261127T1450-drift.js';
import { SlackTickets1764255600000 } from './20261127T1460-slack-tickets.js';

/** All migrations, oldest first. Add new ones at the end; never edit one that was released. */
export const migrations = [
  Foundation1763888400000,
  Workspaces1763889000000,
  Identity1763890200000,
  UseCases1763892000000,
  Registry1763892600000,
  Evaluations1763893200000,
  Findings1763893800000,
  Cards1763894400000,
  Approvals1763895000000,
  Deployments1763895600000,
  Decisions1763896200000,
  Documents1763898000000,
  Reports1763898600000,
  Notifications1763899200000,
  Audit1763899800000,
  Tracking1764244800000,
  RegistryProtocol1764245400000,
  PolicyModes1764246000000,
  EvidenceAgeing1764246600000,
  Incidents1764247200000,
  Risk1764248400000,
  CardRevisions1764249000000,
  Attestations1764249600000,
  RegistryDepth1764250200000,
  Datasets1764250800000,
  Slack1764252000000,
  Comments1764252600000,
  News1764253200000,
  MlflowUpstream1764253800000,
  Drift1764255000000,
  SlackTickets1764255600000,
];
