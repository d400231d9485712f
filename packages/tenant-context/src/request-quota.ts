import { ProblemError, type TenantSettings } from "@proveniq/contracts";
import type { Principal } from "./credentials/authenticator.ts";
import { type Quota, QuotaLimiter, quotaHeaders, shareOf } from "./quota.ts";

export interface RequestQuotaOptions {
  /** The cell's, over all its instances. */
  tenantRequestsPerSecond: number;
  personRequestsPerSecond: number;
  /** What this instance may let in of them now: more than 0, at most 1. */
  share: () => number;
  now?: () => number;
}

/** Whose request it is. */
export interface Caller {
  tenantId: string;
  principal: Pick<Principal, "ownerId">;
  settings: Pick<TenantSettings, "requestsPerSecond">;
}

/** Requests per second: of each person, and of each tenant with all its people and keys. */
export class RequestQuota {
  readonly #options: RequestQuotaOptions;
  readonly #tenants: QuotaLimiter;
  readonly #people: QuotaLimiter;

  constructor(options: RequestQuotaOptions) {
    this.#options = options;
    const clock = options.now === undefined ? {} : { now: options.now };
    this.#tenants = new QuotaLimiter(clock);
    this.#people = new QuotaLimiter({ ...clock, maxKeys: 100_000 });
  }

  /**
   * Count one request. Resolves to the headers that tell the caller where they stand, a person about their own quota; throws
   * `too-many-requests` with the same headers and Retry-After.
   */
  take(caller: Caller): Record<string, string> {
    const { tenantId, principal } = caller;
    const own =
      principal.ownerId === undefined
        ? undefined
        : this.#people.take(`${tenantId} ${principal.ownerId}`, this.#ofPerson());
    if (own?.allowed === false) throw refused(quotaHeaders("person", own));
    const shared = this.#tenants.take(tenantId, this.#ofTenant(caller));
    const headers = quotaHeaders("tenant", shared);
    if (!shared.allowed) throw refused(headers);
    return own === undefined ? headers : quotaHeaders("person", own);
  }

  /** What the caller may do, for all to know: the quota of the whole cell, not of this instance. */
  describe({ principal, settings }: Caller): Quota {
    const { tenantRequestsPerSecond, personRequestsPerSecond } = this.#options;
    const tenant = settings.requestsPerSecond ?? tenantRequestsPerSecond;
    return shareOf(principal.ownerId === undefined ? tenant : Math.min(tenant, personRequestsPerSecond), 1);
  }

  #ofPerson(): Quota {
    return shareOf(this.#options.personRequestsPerSecond, this.#options.share());
  }

  #ofTenant({ settings }: Caller): Quota {
    const { tenantRequestsPerSecond, share } = this.#options;
    return shareOf(settings.requestsPerSecond ?? tenantRequestsPerSecond, share());
  }
}

function refused(headers: Record<string, string>): ProblemError {
  return new ProblemError("too-many-requests", "Slow down: Retry-After says by how many seconds.", {
    headers,
  });
}
