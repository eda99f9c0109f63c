import type { Role } from '../kernel/actor.js';

/** Somebody of the demo: signs in at the development provider, and gets the role by their group. */
export interface DemoPerson {
  readonly sub: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly group: string;
}

const person = (role: Role, name: string): DemoPerson => {
  const sub = name.toLowerCase().replaceAll(' ', '.');
  return { sub, name, email: `${sub}@example.com`, role, group: `countersign-${role}` };
};

/** One person for each role; invented, like everybody with an address of example.com. */
export const demoPeople: readonly DemoPerson[] = [
  person('engineer', 'Emma Engstrom'),
  person('validator', 'Victor Valdez'),
  person('compliance', 'Clara Castell'),
  person('reviewer', 'Ravi Rao'),
  person('owner', 'Olga Orlova'),
  person('auditor', 'Aiko Abe'),
  person('administrator', 'Adam Adeyemi'),
];

/** Where the demo plays. */
export const demoOrganization = { slug: 'meridian', name: 'Meridian Savings (demo)' } as const;

/** The workspace that the first start fills. */
export const demoWorkspace = {
  slug: 'income-verification',
  name: 'Income verification',
  startingPolicy: 'enforced',
} as const;

/** The demo person of a role. */
export const personOf = (role: Role): DemoPerson => {
  const found = demoPeople.find((one) => one.role === role);
  if (!found) throw new Error(`Nobody in the demo has the role ${role}`);
  return found;
};
