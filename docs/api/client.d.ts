/** web/circle27.js: a client without dependencies. */
export declare class Circle27 {
  /** `url`: the gateway, if the page is from elsewhere. `storage` keeps the session; without it, this object does. */
  constructor(options?: { url?: string; storage?: Pick<Storage, "getItem" | "setItem" | "removeItem"> });
  /** Whether `slots` follow the server: by a stream, not at the moment, by asking when something is due, or not at all. */
  readonly status: "live" | "reconnecting" | "polling" | "idle";
  /** Today's slots, as they are to be shown. */
  readonly slots: SlotState[];
  /** Who is signed in; null: nobody. */
  readonly session: ClientSession | null;
  /** The server's app clock, in milliseconds since 1970. */
  now(): number;
  requestCode(email: string): Promise<LoginRequest>;
  verifyCode(email: string, code: string): Promise<void>;
  signOut(): Promise<void>;
  /** Call a function with the member's token; asks again what got no answer. Throws ClientRefusal. */
  call<Name extends keyof Database["public"]["Functions"]>(
    name: Name,
    args?: Database["public"]["Functions"][Name]["Args"],
    options?: { method?: "GET" | "POST"; tries?: number },
  ): Promise<Database["public"]["Functions"][Name]["Returns"]>;
  /** Do what the button says, where it says join or leave. */
  press(slot: SlotState): Promise<void>;
  giveFeedback(slot: SlotState, said: { rating: number; comment?: string | null; about?: About[] }): Promise<void>;
  /** "I can't come": give up one's place in a circle, for good. */
  cancelPlace(slot: SlotState): Promise<void>;
  /** How many are on the list of a slot; undefined until a stream told it. */
  joined(slot: SlotState): number | undefined;
  /** Whether the circle of a slot is known without asking. */
  knowsCircle(slot: SlotState): boolean;
  /** Whom one meets, and where. */
  circle(slot: SlotState): Promise<Circle>;
  /** Fetch the day now. */
  sync(): Promise<void>;
  /** Keep `slots` as they are on the server, until unwatch() or the end of the session. */
  watch(): void;
  unwatch(): void;
  /** `change`: `slots` or `status` have changed. */
  addEventListener(type: "change", listener: (event: CustomEvent<undefined>) => void): void;
  /** An event of the stream. `session` also comes when one begins, with `over: false`. */
  addEventListener<Name extends Exclude<keyof Events, "session">>(
    type: Name,
    listener: (event: CustomEvent<Events[Name]>) => void,
  ): void;
  addEventListener(type: "session", listener: (event: CustomEvent<{ over: boolean }>) => void): void;
  removeEventListener(type: string, listener: (event: CustomEvent) => void): void;
}

/** What is kept of a session between visits. */
export type ClientSession = Pick<Tokens, "accessToken" | "refreshToken" | "userId" | "campusId" | "timeZone"> & {
  /** When to refresh it, by the device's clock: milliseconds since 1970. */
  renewAt: number;
};

/** What Circle27 throws: the status and body of a refusal. Without a status there was no answer. */
export declare class ClientRefusal extends Error {
  status?: number;
  slug?: ErrorSlug | (string & {}) | null;
  code?: string;
  hint?: string | null;
  retryAfter: number;
}
