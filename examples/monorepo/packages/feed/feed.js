/** What the front page lists: posts as lines, "2024-05-01 Bread". */

export function feed(posts) {
  return posts.map((post) => `${post.date} ${post.title}`);
}
