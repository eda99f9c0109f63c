import type { FactIntake } from '../check-facts.js';
import { defineCheck, finding, type CheckFinding } from '../check-rule.js';

const scanned = ({ files, opened, pickles, ownCode }: FactIntake): CheckFinding => {
  const seen = `${String(files)} files were looked through: ${String(opened)} opened in a sandbox, ${String(pickles)} pickles followed without loading`;
  const own = ownCode === 0 ? '' : `; ${String(ownCode)} of them carry code of their own`;
  return finding('PASS', `${seen}${own}`);
};

export const artifactScan = defineCheck({
  name: 'artifact-scan',
  title: 'Artifact scan',
  describe:
    'Intake looked through every file, opened the ONNX files in a sandbox, followed the pickles, and found nothing wrong.',
  permission: 'artifact:upload',
  judge: ({ state, stateMessage, intake }) => {
    if (state === 'REJECTED') return finding('FAIL', `Intake refused the version: ${stateMessage}`);
    if (intake === null || intake.files === 0) {
      return finding('MISSING', 'The version has no files that could be scanned; upload them and submit it');
    }
    if (intake.faults > 0) return finding('FAIL', `Intake found ${String(intake.faults)} faults`);
    if (!intake.isCurrent) {
      const advice = 'register its files as a new version';
      return finding('STALE', `The files were looked through by earlier checks of intake; ${advice}`);
    }
    if (!intake.isModel && intake.opened + intake.pickles === 0) {
      return finding('MISSING', 'None of the files is of a format that intake opens');
    }
    return scanned(intake);
  },
});
