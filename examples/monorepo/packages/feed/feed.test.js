import assert from "node:assert/strict";
import test from "node:test";

import { feed } from "./feed.js";

const POSTS = [
  { date: "2024-05-01", title: "Crème brûlée" },
  { date: "2024-06-12", title: "Cold soup" },
  { date: "2024-05-01", title: "Bread" },
];

test("the newest post comes first, posts of a day by title", () => {
  assert.deepEqual(feed(POSTS), [
    "2024-06-12 Cold soup",
    "2024-05-01 Bread",
    "2024-05-01 Crème brûlée",
  ]);
});

test("the posts that were given stay in their order", () => {
  const given = [...POSTS];
  feed(given);
  assert.deepEqual(given, POSTS);
});
