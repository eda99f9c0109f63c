export { AppUser } from './app-user.entity.js';
export { Member } from './member.entity.js';
export { Organization } from './organization.entity.js';
export { Workspace, type StartingPolicyName } from './workspace.entity.js';
export {
  createOrganization,
  createWorkspace,
  removeMember,
  setMemberRoles,
  slug,
} from './workspaces.commands.js';
