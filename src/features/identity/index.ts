export { ApiToken } from './api-token.entity.js';
export { RoleRule } from './role-rule.entity.js';
export { ServiceAccount } from './service-account.entity.js';
/** Finds out who asks, from a token or a session. */
export { openAuthenticator } from './authenticate.js';
/** A token of one hour for the demo person of a role; development only. */
export { issueDevelopmentToken } from './development-token.js';
/** Makes tokens of service accounts. */
export { createApiToken } from './identity.commands/api-tokens.js';
/** Makes a person known by issuer and subject, with the roles that rules give. */
export { enrolPerson } from './identity.commands/people.js';
/** Gives a role to a group of the identity provider, and roles to whoever is in it. */
export { applyRoleRules, createRoleRule } from './identity.commands/role-rules.js';
/** Creates a machine that acts by its tokens. */
export { createServiceAccount } from './identity.commands/service-accounts.js';
