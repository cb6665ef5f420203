// What is told of the user's own cursor, and when.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OwnCursor, type Place } from '../../src/client/own-cursor.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const at = (position: number): Place => ({ position, anchor: position });

test('[CLIENT75] a cursor is told at once, then once a second, and not when it only goes along with the text', () => {
  const told: number[] = [];
  const cursor = new OwnCursor((place) => {
    told.push(place.position);
    return place;
  });
  cursor.place(at(3));
  vi.advanceTimersByTime(0);
  expect(told).toEqual([3]);
  cursor.moved([{ position: 3, length: 0, text: 'typed' }], 'right');
  cursor.place(at(8));
  vi.advanceTimersByTime(5_000);
  cursor.tellLater();
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual([3]);
  for (const position of [1, 2, 4]) {
    cursor.place(at(position));
    vi.advanceTimersByTime(300);
  }
  expect(told).toEqual([3, 1]);
  vi.advanceTimersByTime(200);
  expect(told).toEqual([3, 1, 4]);
  cursor.forgotten();
  cursor.tellNow();
  expect(told).toEqual([3, 1, 4, 4]);
  cursor.place(at(0));
  cursor.end();
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual([3, 1, 4, 4]);
});

test('[CLIENT75] where the server has it elsewhere than it is, it is told again', () => {
  const told: number[] = [];
  const cursor = new OwnCursor((place) => {
    told.push(place.position);
    return told.length === 1 ? at(0) : place;
  });
  cursor.place(at(2));
  vi.advanceTimersByTime(0);
  cursor.tellLater();
  vi.advanceTimersByTime(1_000);
  cursor.tellLater();
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual([2, 2]);
});
