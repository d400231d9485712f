/** A guard that is taken out, and the part of this suite that must notice. */
export interface Mutant {
  name: string;
  file: string;
  find: string;
  replace: string;
  noticedBy: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: "tenant filter: all tenants of a database share one book",
    file: "packages/db/src/paths.ts",
    find: 'return tenantRef(firestore, tenantId).collection("items");',
    replace: 'return firestore.collection("items");',
    noticedBy: "attacks.test.ts",
  },
  {
    name: "owner filter: any item of the tenant is visible to a person",
    file: "packages/db/src/items/store.ts",
    find: "return ownerId === undefined || record?.input.ownerId === ownerId ? record : undefined;",
    replace: 'return ownerId === "never" ? undefined : record;',
    noticedBy: "people.test.ts",
  },
  {
    name: "owner filter: a person's list is the whole book",
    file: "packages/db/src/items/store.ts",
    find: "const ownerId = this.#binding.ownerId ?? query.ownerId;",
    replace: "const ownerId = query.ownerId;",
    noticedBy: "people.test.ts",
  },
  {
    name: "claim check: a cell serves tenants that it does not hold",
    file: "packages/db/src/claims/reader.ts",
    find: "if (!locator.exists) return undefined;",
    replace:
      'if (!locator.exists) return { claim: { tenantId, state: "active", epoch: 1, copies: 1 }, databaseId: this.#defaultDatabase };',
    noticedBy: "people.test.ts",
  },
  {
    name: "scope check: any credential may do anything",
    file: "apps/cell-api/src/access/policy.ts",
    find: "if (rule.scope !== null && !principal.scopes.includes(rule.scope)) {",
    replace: "if (rule.scope === undefined) {",
    noticedBy: "attacks.test.ts",
  },
  {
    name: "mass assignment: a person names an owner and is not told no",
    file: "apps/cell-api/src/routes/items/create.ts",
    find: "if (tenant.ownerId !== undefined && input.ownerId !== undefined) {",
    replace: 'if (tenant.ownerId === "never") {',
    noticedBy: "attacks.test.ts",
  },
  {
    name: "key: the secret is not compared",
    file: "packages/tenant-context/src/credentials/api-key.ts",
    find: "if (record === undefined || !matches) return false;",
    replace: "if (record === undefined) return matches;",
    noticedBy: "attacks.test.ts",
  },
  {
    name: "key: a revoked one is good",
    file: "packages/tenant-context/src/credentials/api-key.ts",
    find: "record.environment !== key.environment || record.revokedAt !== null",
    replace: "record.environment !== key.environment",
    noticedBy: "attacks.test.ts",
  },
  {
    name: "hint: the first place that names a tenant wins",
    file: "packages/tenant-context/src/hint.ts",
    find: "if (found.tenantId === value) return found;",
    replace: 'if (found.tenantId !== "never") return found;',
    noticedBy: "attacks.test.ts",
  },
  {
    name: "target: a cell reads odd paths in its own way",
    file: "apps/cell-api/src/app.ts",
    find: "  app.use(plainTarget);\n",
    replace: "",
    noticedBy: "attacks.test.ts",
  },
  {
    name: "token: a person without a tenant enters any",
    file: "packages/tenant-context/src/credentials/people.ts",
    find: "if ((token.tenant ?? defaultTenant) !== tenantId) throw unauthenticated();",
    replace: "if ((token.tenant ?? tenantId) !== tenantId) throw unauthenticated();",
    noticedBy: "attacks.test.ts",
  },
  {
    name: "token: the audience is not looked at",
    file: "packages/tenant-context/src/credentials/id-token.ts",
    find: "!(exp <= latest) || aud !== audience) throw unauthenticated();",
    replace: '!(exp <= latest) || aud === "never") throw unauthenticated();',
    noticedBy: "attacks.test.ts",
  },
  {
    name: "token: the Identity tenant is not looked at",
    file: "packages/tenant-context/src/credentials/people.ts",
    find: "if (token.issuer !== issuer || token.identityTenant !== settings.identityTenant) {",
    replace: "if (token.issuer !== issuer) {",
    noticedBy: "attacks.test.ts",
  },
  {
    name: "cursor: good for anybody of the tenant",
    file: "apps/cell-api/src/routes/items/list.ts",
    find: "      principal.id,\n",
    replace: "",
    noticedBy: "people.test.ts",
  },
  {
    name: "idempotency: keys are shared within a tenant",
    file: "packages/db/src/items/receipt.ts",
    find: 'hashOf("key", actor.kind, actor.id, idempotency.route, idempotency.key)',
    replace: 'hashOf("key", idempotency.route, idempotency.key)',
    noticedBy: "people.test.ts",
  },
  {
    name: "quota: nothing is counted",
    file: "packages/tenant-context/src/quota.ts",
    find: "const allowed = room >= -1e-6;",
    replace: "const allowed = room >= Number.NEGATIVE_INFINITY;",
    noticedBy: "quota.test.ts",
  },
  {
    name: "misses: floods of made-up tenants reach the database",
    file: "packages/db/src/access/miss-budgets.ts",
    find: "if (left < 1) return false;",
    replace: "if (left < Number.NEGATIVE_INFINITY) return false;",
    noticedBy: "silence.test.ts",
  },
  {
    name: "log: the path is written down",
    file: "apps/cell-api/src/http/request-log.ts",
    find: "      method: c.req.method,\n",
    replace: "      method: c.req.method,\n      url: c.req.url,\n",
    noticedBy: "secrets.test.ts",
  },
];
