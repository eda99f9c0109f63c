/** A server that speaks the protocol of MLflow, as far as we ask it something. */
export interface ModelServer {
  /** Where it is, without a name and a password. */
  readonly address: string;
  /** What it is shown of us; never what was shown to us, and never logged. */
  readonly authorization: string | null;
  /** How long an answer may take to begin, and each piece of it to follow. */
  readonly answerMs: number;
  /** Asks for JSON; refuses with rule `upstream-unreachable` when no answer came in time. */
  ask(question: ServerQuestion): Promise<ServerAnswer>;
  /** Reads a file of its artifact proxy as a stream. */
  open(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** What is asked; `path` begins behind `/api/2.0/`. */
export interface ServerQuestion {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** The query of a GET, the body of everything else. */
  readonly input?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

/** What it said. */
export interface ServerAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The servers that an installation knows. */
export interface ModelServers {
  /** The one that we stand in front of, and the slug of the workspace that governs it. */
  readonly front: { readonly server: ModelServer; readonly workspace: string } | null;
  /** The one that models are imported from. */
  readonly source: ModelServer | null;
}

/** Where there is none. */
export const noModelServers: ModelServers = { front: null, source: null };
