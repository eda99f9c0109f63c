import { openApp, type App } from '../app.js';
import { openCompute } from '../compute/index.js';
import type { Config } from '../config.js';
import { openKeyring } from '../kernel/keyring.js';
import { openSigner } from '../kernel/signer.js';
import { openLog } from '../kernel/log.js';
import type { ModelServers } from '../kernel/model-server.js';
import type { Outside } from '../kernel/ports.js';
import { openMail } from '../integrations/mail.js';
import { openMlflowServer } from '../integrations/mlflow-server.js';
import { openOutside } from '../integrations/outside.js';
import { openSlackApp } from '../integrations/slack-app.js';
import { openSlack } from '../integrations/slack.js';
import { openWebhookSender } from '../integrations/webhook-sender.js';
import { databaseUrlOf } from './environment.js';

/** The application of a serving process, with its outside. */
export interface Serving {
  readonly app: App;
  readonly outside: Outside;
  readonly close: () => Promise<void>;
}

const slackOf = ({ slack, url: linkBase }: Config): Pick<Outside, 'chat' | 'slack'> => ({
  chat: openSlack({ ...slack, linkBase }),
  slack: openSlackApp({ ...slack, socket: slack.appToken !== null, linkBase }),
});

const modelServersOf = ({ mlflow: { front, source } }: Config): ModelServers => ({
  front: front && { server: openMlflowServer(front), workspace: front.workspace },
  source: source && openMlflowServer(source),
});

/** Opens what api and worker have in common. */
export const openServing = async (config: Config, name: 'api' | 'worker'): Promise<Serving> => {
  const databaseUrl = databaseUrlOf(config, name);
  const log = openLog({ level: config.logLevel, name });
  const keyring = await openKeyring(config.keyring.path, config.keyring);
  const signer = await openSigner(config.signingKeys.path, { ...config.signingKeys, issuer: config.url });
  const compute = openCompute();
  const [app, outside] = await Promise.all([
    openApp({
      databaseUrl,
      keyring,
      signer,
      log,
      name: `countersign-${name}`,
      hasUpstream: config.mlflow.front !== null,
    }),
    openOutside(config.artifacts, {
      ...slackOf(config),
      mail: openMail(config.mail),
      webhooks: openWebhookSender(config.webhooks),
      modelServers: modelServersOf(config),
      publicUrl: config.url,
      compute,
    }),
  ]);
  const close = async (): Promise<void> => {
    await compute.close();
    await app.close();
  };
  return { app, outside, close };
};
