import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { Attestation } from '../attestation.entity.js';
import { holdAttestationsOf, revoke } from '../hold-against.js';
import { AttestationRevocation } from '../revocation.entity.js';

export const revokeAttestation = defineCommand({
  name: 'attestation.revoke',
  describe:
    'Takes an attestation back for good: from the next revocation list on, no gate lets it pass, whatever moment it asks about.',
  permission: 'attestation:revoke',
  input: z.object({
    attestationId: z.uuid(),
    reason: z.string().trim().min(1).max(4000).describe('Why, for the trail; it is not published.'),
  }),
  target: async (tx, input) => {
    const found = await tx.findOne(Attestation, { id: input.attestationId });
    if (!found) throw notFound('The attestation');
    await holdAttestationsOf(tx, found.modelId);
    return found;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    const { id } = target;
    const earlier = await tx.find(AttestationRevocation, { where: { attestationId: id, reason: 'REVOKED' } });
    if (earlier.length > 0) {
      const [{ revokedAt } = { revokedAt: null }] = earlier;
      throw conflict(`Attestation #${String(target.number)} was taken back before`, {
        rule: 'attestation-revoked',
        revokedAt,
      });
    }
    const audit = await revoke(tx, target, 'REVOKED', { actorId: actor.id, now, detail: input.reason });
    return { result: { id }, audit };
  },
});
