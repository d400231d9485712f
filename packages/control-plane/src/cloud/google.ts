import { GoogleAuth } from "google-auth-library";
import { z } from "zod";
import { RefusedError } from "../refused.ts";

/** Google's APIs that are asked here, by the variables in which Terraform's provider takes other addresses of them. */
const services = {
  projects: ["GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT", "https://cloudresourcemanager.googleapis.com/v1/"],
  billing: ["GOOGLE_CLOUD_BILLING_CUSTOM_ENDPOINT", "https://cloudbilling.googleapis.com/v1/"],
  usage: ["GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT", "https://serviceusage.googleapis.com/v1/"],
  storage: ["GOOGLE_STORAGE_CUSTOM_ENDPOINT", "https://storage.googleapis.com/storage/v1/"],
  compute: ["GOOGLE_COMPUTE_CUSTOM_ENDPOINT", "https://compute.googleapis.com/compute/v1/"],
  secrets: ["GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", "https://secretmanager.googleapis.com/v1/"],
  images: ["GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT", "https://artifactregistry.googleapis.com/v1/"],
  dns: ["GOOGLE_DNS_CUSTOM_ENDPOINT", "https://dns.googleapis.com/dns/v1/"],
  monitoring: ["GOOGLE_MONITORING_CUSTOM_ENDPOINT", "https://monitoring.googleapis.com/"],
} as const;
export type Service = keyof typeof services;

const failure = z.object({ error: z.object({ message: z.string() }) });

/** An answer of Google's that says no. */
export class GoogleError extends RefusedError {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Google's REST APIs, by this machine's Google credentials, or a token in GOOGLE_OAUTH_ACCESS_TOKEN. */
export class Google {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #auth = new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" });

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
    for (const [variable] of Object.values(services)) {
      const url = env[variable] ?? "";
      // The token goes with every request.
      if (url !== "" && !/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost):)/.test(url))
        throw new RefusedError(`${variable} must be an https URL, or one of this machine.`);
    }
  }

  /** Whether an API is one of this machine: a stand-in, which keeps no image. */
  isHere(service: Service): boolean {
    return this.#base(service).startsWith("http://");
  }

  /** Rejects with `RefusedError` when there are no credentials. */
  async token(): Promise<string> {
    const given = this.#env["GOOGLE_OAUTH_ACCESS_TOKEN"];
    if (given !== undefined && given !== "") return given;
    const token = await this.#auth.getAccessToken().catch(() => undefined);
    if (typeof token === "string") return token;
    throw new RefusedError("There are no Google credentials: gcloud auth application-default login");
  }

  /** What is there; undefined for what is not. Rejects with `GoogleError`. */
  async find<T>(service: Service, path: string, as: z.ZodType<T>): Promise<T | undefined> {
    return this.ask(service, "GET", path, as).catch((error: unknown) => {
      if (error instanceof GoogleError && error.status === 404) return undefined;
      throw error;
    });
  }

  /** Ask, and read the answer. Rejects with `GoogleError`. */
  async ask<T>(
    service: Service,
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    as: z.ZodType<T>,
    body?: object | Uint8Array<ArrayBuffer>,
  ): Promise<T> {
    const isBytes = body instanceof Uint8Array;
    const response = await fetch(new URL(path, this.#base(service)), {
      method,
      headers: {
        authorization: `Bearer ${await this.token()}`,
        ...(body === undefined
          ? {}
          : { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
      },
      ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(120_000),
    }).catch((error: unknown) => {
      throw new RefusedError(`${new URL(this.#base(service)).host} does not answer: ${String(error)}`);
    });
    const text = await response.text();
    if (response.ok) return as.parse(text === "" ? {} : JSON.parse(text));
    let said = text.slice(0, 300);
    try {
      said = failure.parse(JSON.parse(text)).error.message;
    } catch {
      // Not all that refuses speaks JSON.
    }
    throw new GoogleError(response.status, `${method} ${service} ${path}: ${response.status} ${said}`);
  }

  #base(service: Service): string {
    const [variable, usual] = services[service];
    const given = this.#env[variable];
    return given === undefined || given === "" ? usual : given;
  }
}
