/**
 * Ids of those who use each object, by its id. A store may have ten thousand layers and thousands of users: nobody is
 * looked for twice.
 *
 * @param usedBy ids of what an object uses
 */
export function idsOfUsers<User extends { readonly id: string }>(
  users: readonly User[],
  usedBy: (user: User) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const user of users) {
    for (const used of new Set(usedBy(user))) {
      const others = found.get(used);
      if (others === undefined) found.set(used, [user.id]);
      else others.push(user.id);
    }
  }
  return found;
}
