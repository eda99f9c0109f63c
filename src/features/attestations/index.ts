export { Attestation } from './attestation.entity.js';
export { keepAttestations } from './attestations.consequences.js';
export { reconcileRuntime, retireRuntime } from './attestations.commands/reconcile-runtime.js';
export { revokeAttestation } from './attestations.commands/revoke.js';
export { AttestationRevocation } from './revocation.entity.js';
export { Runtime } from './runtime.entity.js';
