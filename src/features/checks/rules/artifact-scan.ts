import { defineCheck, finding } from '../check-rule.js';

export const artifactScan = defineCheck({
  name: 'artifact-scan',
  title: 'Artifact scan',
  describe: 'Intake opened the model files in a sandbox and found nothing wrong.',
  permission: 'artifact:upload',
  judge: ({ state, stateMessage, intake }) => {
    if (state === 'REJECTED') return finding('FAIL', `Intake refused the version: ${stateMessage}`);
    if (intake === null || intake.files === 0) {
      return finding('MISSING', 'The version has no files that could be scanned; upload them and submit it');
    }
    if (intake.faults > 0) return finding('FAIL', `Intake found ${String(intake.faults)} faults`);
    if (intake.opened === 0) return finding('MISSING', 'None of the files is of a format that intake opens');
    const [opened, files] = [String(intake.opened), String(intake.files)];
    return finding('PASS', `${opened} model files among ${files} were opened in a sandbox`);
  },
});
