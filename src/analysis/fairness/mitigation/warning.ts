/**
 * Comes with everything that treats people by their group. Nothing of it may be set to work: it shows what equality
 * would cost, so that a decision that does not look at groups can be found.
 */
export const GROUP_AWARE_WARNING =
  'Simulation only. It uses the group of a person to decide, which is unlawful in many places: in the United States, different cut-offs or adjusted scores by race, colour, religion, sex or national origin in employment tests (42 U.S.C. 2000e-2(l)). Ask counsel before anything like it is used.';
