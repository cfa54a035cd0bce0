// A real OpenID Connect provider on this machine's loopback. Usage: node provider.mjs <port> <redirect uri> <people as JSON>
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [port, redirectUri, people] = [Number(process.argv[2]), process.argv[3], JSON.parse(process.argv[4])];

function key(alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: alg };
}

const shared = { redirect_uris: [redirectUri], response_types: ["code"], grant_types: ["authorization_code"] };
const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [key("ES256", "ec", { namedCurve: "P-256" }), key("RS256", "rsa", { modulusLength: 2048 })] },
  clients: [
    { ...shared, client_id: "yinxin", client_secret: "a-secret-of-sufficient-length", token_endpoint_auth_method: "client_secret_basic", id_token_signed_response_alg: "ES256" },
    { ...shared, client_id: "yinxin-public", token_endpoint_auth_method: "none", id_token_signed_response_alg: "RS256" },
  ],
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], profile: ["name", "roles", "yinxin_region", "yinxin_issuer", "yinxin_relying_party", "identity_number", "realm_access"] },
  cookies: { keys: ["only-for-tests"] },
  features: { devInteractions: { enabled: true } },
  async findAccount(_ctx, id) {
    return { accountId: id, claims: async () => ({ sub: id, ...(people[id] ?? {}) }) };
  },
});
provider.listen(port, "127.0.0.1", () => console.log("listening"));
