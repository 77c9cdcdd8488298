import { expect, test } from 'vitest';
import { createSocketBeats } from '../../src/api/socket-beats.ts';

function begin() {
  let now = 0;
  const socket = { bufferedAmount: 0, pings: 0, isCut: false, ping: () => void (socket.pings += 1), terminate: () => void (socket.isCut = true) };
  const { beat, heard } = createSocketBeats({ mostUnreadMs: 60, now: () => now });
  /** A beat later, with so many bytes unread. */
  const later = (unread = 0) => {
    now += 15;
    socket.bufferedAmount = unread;
    beat(socket);
    return { ...socket };
  };
  return { later, heard: () => heard(socket) };
}

test('who answers is asked again; who does not is cut at the next beat', () => {
  const { later, heard } = begin();
  later();
  heard();
  expect(later()).toMatchObject({ pings: 2, isCut: false });
  expect(later()).toMatchObject({ pings: 2, isCut: true });
});

test('who has something to read is not asked, and stays for as long as it takes some of it', () => {
  const { later } = begin();
  later();
  for (let left = 100; left > 0; left -= 1) expect(later(left)).toMatchObject({ pings: 1, isCut: false });
  expect(later()).toMatchObject({ pings: 2, isCut: false }); // the first answer may be on its way still
  expect(later()).toMatchObject({ isCut: true });
});

test('who takes nothing of it is cut after a while', () => {
  const { later } = begin();
  for (let beats = 1; beats <= 4; beats += 1) expect(later(100)).toMatchObject({ isCut: false });
  expect(later(100)).toMatchObject({ pings: 0, isCut: true });
});
