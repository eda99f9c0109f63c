import {
  approve,
  evaluate,
  fillCard,
  finishJob,
  readPackage,
  registerVersion,
  requestPromotion,
} from '../acts.js';
import type { World } from './world.js';

interface ChampionAnswer {
  readonly model: {
    readonly aliases: readonly { readonly name: string; readonly version: { readonly id: string } }[];
  };
}

const championOf = async ({ people, modelId }: World): Promise<string | undefined> => {
  const { model } = await people.engineer.ask<ChampionAnswer>(
    `query ($id: ID!) { model(id: $id) { aliases { name version { id } } } }`,
    { id: modelId },
  );
  return model.aliases.find((alias) => alias.name === 'champion')?.version.id;
};

/** A new version is registered, checked and measured. Returns its id. */
export const bringChallenger = async (world: World): Promise<string> => {
  const { account, people, modelId, useCaseId, formerChampion } = world;
  const challenger = await readPackage('1.1.0');
  const { versionId, jobId } = await account.step(
    people.engineer.name,
    `registers income-routing ${challenger.manifest.version} and uploads ${String(challenger.files.length)} files`,
    () => registerVersion(people.engineer, modelId, challenger, formerChampion.id),
  );
  await account.step('Intake', 'opens each ONNX file in a process without credentials', () =>
    finishJob(people.engineer, jobId),
  );
  const { modelVersion } = await people.engineer.ask<{ modelVersion: { state: string; digest: string } }>(
    `query ($id: ID!) { modelVersion(id: $id) { state digest } }`,
    { id: versionId },
  );
  account.holds(modelVersion.state === 'READY', `The version is ${modelVersion.state}, not READY`);
  account.fact(`READY, digest ${modelVersion.digest.slice(0, 16)}…`);
  await account.step(people.engineer.name, 'fills in its model card', () =>
    fillCard(people.engineer, versionId, useCaseId),
  );
  await measure(world, versionId, challenger.heldout);
  return versionId;
};

interface EvidenceAnswer {
  readonly evidence: {
    readonly nodes: readonly {
      readonly kind: string;
      readonly verdict: string;
      readonly resultSha256: string;
    }[];
  };
}

const measure = async (
  { account, people, useCaseId }: World,
  versionId: string,
  heldout: string,
): Promise<void> => {
  let shown = '';
  await account.step('A worker', `measures it on ${heldout}`, () =>
    evaluate(people.engineer, versionId, useCaseId, heldout, ({ progress, message }) => {
      const line = `${String(Math.round(progress * 100)).padStart(3)} % ${message}`;
      if (message !== '' && line !== shown) account.fact(line);
      shown = line;
    }),
  );
  const { evidence } = await people.engineer.ask<EvidenceAnswer>(
    `query ($versionId: ID!) { evidence(versionId: $versionId, first: 20) { nodes { kind verdict resultSha256 } } }`,
    { versionId },
  );
  for (const one of evidence.nodes)
    account.fact(`${one.kind}: ${one.verdict}, sha256 ${one.resultSha256.slice(0, 16)}…`);
  account.holds(evidence.nodes.length >= 3, 'Performance, fairness and attribution were not all measured');
};

interface CheckAnswer {
  readonly promotionCheck: {
    readonly allowed: boolean;
    readonly requirements: readonly {
      readonly rule: string;
      readonly mode: string;
      readonly state: string;
      readonly message: string;
      readonly people: readonly { readonly name: string }[];
    }[];
  };
}

/** The dry run names every rule, how it stands and who can move it. */
const sayWhatIsMissing = async ({ account, people, useCaseId }: World, versionId: string): Promise<void> => {
  const { promotionCheck } = await account.step(people.engineer.name, 'asks what the move needs', () =>
    people.engineer.ask<CheckAnswer>(
      `query ($versionId: ID!, $useCaseId: ID!) {
         promotionCheck(versionId: $versionId, alias: "champion", useCaseId: $useCaseId) {
           allowed requirements { rule mode state message people { name } } } }`,
      { versionId, useCaseId },
    ),
  );
  for (const { rule, mode, state, message, people: who } of promotionCheck.requirements) {
    if (state === 'PASS') continue;
    const names = who.map((one) => one.name).join(', ');
    account.fact(`${rule} (${mode}) ${state}: ${message}${names === '' ? '' : ` (${names})`}`);
  }
  account.holds(!promotionCheck.allowed, 'The move is allowed before anybody approved');
};

/** Moving it by hand is refused, and the refusal opens the change request. Returns the request's id. */
const tryByHand = async ({ account, people, modelId }: World, versionId: string): Promise<string> => {
  const refusal = await account.refused(
    () =>
      people.engineer.ask(`mutation ($input: AliasSetInput!) { setAlias(input: $input) { id } }`, {
        input: { modelId, versionId, name: 'champion' },
      }),
    'protected-alias',
  );
  const request = refusal.details['changeRequest'];
  const id = typeof request === 'object' && request !== null && 'id' in request ? request.id : null;
  if (typeof id !== 'string') throw new Error('The refusal names no change request');
  return id;
};

/** The way around is closed, the author cannot approve, two others can. Returns the id of the change request. */
export const promote = async (world: World, versionId: string): Promise<string> => {
  const { account, people } = world;
  const changeId = await account.step(people.engineer.name, 'tries to move champion by hand', () =>
    tryByHand(world, versionId),
  );
  await account.step(people.engineer.name, 'tries again, and is led to the same request', async () => {
    account.holds((await tryByHand(world, versionId)) === changeId, 'A second request was opened');
  });
  await sayWhatIsMissing(world, versionId);
  await account.step(people.engineer.name, 'tries to approve it alone', () =>
    account.refused(() => approve(people.engineer, changeId, 'Looks good to me.'), 'requester'),
  );
  await account.step(people.validator.name, 'approves as validator', () =>
    approve(people.validator, changeId, 'Metrics and calibration reproduced.'),
  );
  const state = await account.step(people.compliance.name, 'approves as compliance', () =>
    approve(people.compliance, changeId, 'Group figures and exclusions read.'),
  );
  account.holds(state === 'EXECUTED', `The request is ${state} after both approvals`);
  account.holds((await championOf(world)) === versionId, 'champion did not move to the approved version');
  account.fact('champion names the new version');
  await rehearse(world);
  return changeId;
};

interface PolicyAnswer {
  readonly approvalPolicy: {
    readonly document: { readonly rules: readonly { readonly approvals: readonly object[] }[] };
  };
}

interface ReplayAnswer {
  readonly replayPolicy: { readonly requests: number; readonly wouldBeRefused: number };
}

/** A stricter policy is rehearsed over what was decided so far, before anybody proposes it. */
const rehearse = async ({ account, people }: World): Promise<void> => {
  const { compliance } = people;
  const { approvalPolicy } = await compliance.ask<PolicyAnswer>(`{ approvalPolicy { document } }`);
  const { document } = approvalPolicy;
  const rules = document.rules.map((rule) => ({
    ...rule,
    approvals: [...rule.approvals, { role: 'owner', quorum: 1 }],
  }));
  const { replayPolicy } = await account.step(
    compliance.name,
    'replays over the history what would be if an owner had to approve too',
    () =>
      compliance.ask<ReplayAnswer>(
        `query ($document: JSON!) { replayPolicy(document: $document) { requests wouldBeRefused } }`,
        { document: { ...document, rules } },
      ),
  );
  const { requests, wouldBeRefused } = replayPolicy;
  account.fact(`${String(wouldBeRefused)} of ${String(requests)} promotions would have been refused`);
  account.holds(wouldBeRefused > 0, 'The replay refused nothing that an owner never approved');
};

interface OpenAnswer {
  readonly changeRequest: {
    readonly state: string;
    readonly approvals: readonly { readonly valid: boolean; readonly voidReason: string | null }[];
  };
}

/** A second request is approved by one, then a governed field of the card changes and voids that approval. */
export const voidSecondRequest = async (world: World): Promise<void> => {
  const { account, people, useCaseId, formerChampion } = world;
  const before = formerChampion.id;
  const changeId = await account.step(
    people.engineer.name,
    `asks to go back to version ${String(formerChampion.version)}, and ${people.validator.name} approves`,
    async () => {
      const id = await requestPromotion(
        people.engineer,
        before,
        useCaseId,
        'To show what a changed card does.',
      );
      await approve(people.validator, id, 'It was champion before.');
      return id;
    },
  );
  await account.step(people.owner.name, 'changes a governed field of its card', () =>
    people.owner.ask(`mutation ($input: CardUpdateInput!) { updateCard(input: $input) { id } }`, {
      input: {
        versionId: before,
        useCaseId,
        fields: [
          { name: 'limitations', value: `Reviewed on ${new Date().toISOString()}: the data is of 1994.` },
        ],
      },
    }),
  );
  const reason = await waitForVoid(world, changeId);
  account.fact(reason);
  account.holds(reason.includes('card.limitations'), 'The reason does not name the entry that changed');
  await people.engineer.ask(
    `mutation ($input: ChangeRequestWithdrawInput!) { withdrawChange(input: $input) { id } }`,
    {
      input: { changeRequestId: changeId, reason: 'End of the story.' },
    },
  );
};

const waitForVoid = async ({ people }: World, id: string): Promise<string> => {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const { changeRequest } = await people.auditor.ask<OpenAnswer>(
      `query ($id: ID!) { changeRequest(id: $id) { state approvals { valid voidReason } } }`,
      { id },
    );
    const voided = changeRequest.approvals.find((approval) => !approval.valid);
    if (voided) return voided.voidReason ?? '';
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('The approval was not voided within 30 seconds');
};
