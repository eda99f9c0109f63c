import type { DoorParts } from '../../../../http/server.js';
import type { ModelServer } from '../../../../kernel/model-server.js';
import type { Call, Route } from '../route.js';

/** A call of the registry at a door that stands in front of another server. */
export interface FrontCall {
  readonly parts: DoorParts;
  readonly call: Call;
  readonly server: ModelServer;
  readonly route: Route;
  readonly said: Readonly<Record<string, unknown>>;
}
