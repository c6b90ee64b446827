// A real OpenID provider on loopback: `node provider.js PORT REDIRECT_URI`. Any name signs in with any password; the name is
// the subject, and its mail address is NAME@example.org. `GET /control?mode=…` bends the tokens that it gives from then on.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import { SignJWT, decodeJwt, exportJWK, generateKeyPair } from "jose";

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

async function makeKey(kid, alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const mark = { kid, alg, use: "sig" };
  return { privateKey, secret: { ...(await exportJWK(privateKey)), ...mark }, open: { ...(await exportJWK(publicKey)), ...mark } };
}

const first = await makeKey("first", "RS256");
const second = await makeKey("second", "ES256");
const modes = {
  straight: null,
  audience: (claims) => ({ claims: { ...claims, aud: "another-client" }, key: first }),
  audiences: (claims) => ({ claims: { ...claims, aud: [claims.aud, "another-client"], azp: "another-client" }, key: first }),
  issuer: (claims) => ({ claims: { ...claims, iss: "https://id.example" }, key: first }),
  expired: (claims) => ({ claims: { ...claims, exp: claims.iat - 3600 }, key: first }),
  rotated: (claims) => ({ claims, key: second }),
  unsigned: (claims) => ({ claims, key: null }),
};
let mode = "straight";

const provider = new Provider(issuer, {
  clients: [{ client_id: "marsad", client_secret: "a secret: with / odd+letters", redirect_uris: [redirect] }],
  jwks: { keys: [first.secret] },
  cookies: { keys: ["for a test alone"] },
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: true }),
  }),
  features: { devInteractions: { enabled: true } },
});

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

provider.use(async (context, next) => {
  if (context.path === "/control") {
    mode = context.query.mode in modes ? context.query.mode : mode;
    context.body = mode;
    return;
  }
  await next();
  if (context.path === "/jwks" && mode === "rotated") {
    context.body = { keys: [second.open] };
  }
  if (context.path === "/token" && context.body?.id_token && modes[mode]) {
    const { claims, key } = modes[mode](decodeJwt(context.body.id_token));
    const header = key && { alg: key.open.alg, kid: key.open.kid };
    const token = key
      ? await new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey)
      : `${base64url({ alg: "none" })}.${base64url(claims)}.`;
    context.body = { ...context.body, id_token: token };
  }
});

createServer(provider.callback()).listen(Number(port), "127.0.0.1", () => console.log("ready"));
