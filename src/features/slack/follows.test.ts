import { expect, test } from 'vitest';
import { declared } from '../../testing/shape/sources.js';
import { followRequests } from './slack.jobs/follow.js';

/** Commands of other nouns that open, end or carry out a request. */
const others = ['policy.propose', 'alias.rollback', 'endpoint.requestResume', 'endpoint.resume'];

test('the message of a request follows every command that can change one', () => {
  const changing = declared.filter(
    ({ kind, name }) => kind === 'Command' && name.startsWith('changeRequest.'),
  );
  const names = [...changing.map(({ name }) => name), ...others];

  expect(changing.length).toBeGreaterThan(5);
  expect([...followRequests.follows].sort()).toEqual(names.sort());
});
