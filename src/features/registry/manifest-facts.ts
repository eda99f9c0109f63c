import type { EnsembleManifest } from './manifest.js';

/** What a manifest says of licence, family and data, for the card; what it does not say stays unknown. */
export const manifestFacts = ({
  name,
  version,
  excluded,
  licence,
  members,
  data,
}: EnsembleManifest): object => {
  const families = [...new Set(members.flatMap(({ family }) => (family === undefined ? [] : [family])))];
  return {
    name,
    version,
    excluded,
    licence: licence?.model ?? null,
    family: families.length === 0 ? null : `ensemble of ${families.join(', ')}`,
    data: data.map(({ sha256, rows, source, licence: ofData }) => ({
      sha256,
      rows,
      source: source ?? null,
      licence: ofData ?? null,
    })),
  };
};
