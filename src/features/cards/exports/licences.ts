/** Licences that both SPDX and the Hugging Face Hub name; any other is given by its name and not as an identifier. */
export const knownLicences: readonly string[] = [
  'AFL-3.0',
  'AGPL-3.0-only',
  'AGPL-3.0-or-later',
  'Apache-2.0',
  'Artistic-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'CC-BY-2.0',
  'CC-BY-3.0',
  'CC-BY-4.0',
  'CC-BY-NC-4.0',
  'CC-BY-NC-SA-4.0',
  'CC-BY-ND-4.0',
  'CC-BY-SA-3.0',
  'CC-BY-SA-4.0',
  'CC0-1.0',
  'CDLA-Permissive-2.0',
  'ECL-2.0',
  'EPL-2.0',
  'EUPL-1.2',
  'GPL-2.0-only',
  'GPL-2.0-or-later',
  'GPL-3.0-only',
  'GPL-3.0-or-later',
  'ISC',
  'LGPL-2.1-only',
  'LGPL-2.1-or-later',
  'LGPL-3.0-only',
  'LGPL-3.0-or-later',
  'MIT',
  'MPL-2.0',
  'MS-PL',
  'NCSA',
  'OFL-1.1',
  'OSL-3.0',
  'PostgreSQL',
  'Unlicense',
  'WTFPL',
  'Zlib',
];

/** The SPDX identifier as SPDX spells it, or null where it is none that is known here. */
export const spdxIdentifier = (given: string): string | null =>
  knownLicences.find((one) => one.toLowerCase() === given.toLowerCase()) ?? null;

/** The identifier of the Hugging Face Hub, or null where it has none that is known here. */
export const hubLicence = (given: string): string | null =>
  spdxIdentifier(given)
    ?.toLowerCase()
    .replace(/-(only|or-later)$/, '') ?? null;
