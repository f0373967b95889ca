"""Recipes of clouds, clusters and the tools that build them."""

from __future__ import annotations

import base64
import json

from tests.fixtures_reach import Ground
from tests.fixtures_reach.templates import files, folders, keys, pem, present, sockets, variables


def gcp_key(ground: Ground) -> None:
    """A service account's key, as the console hands it out."""
    key = {
        "type": "service_account",
        "project_id": "shop",
        "private_key_id": "0" * 39 + "1",
        "private_key": pem(ground),
        "client_email": "robot@shop.iam.gserviceaccount.example",
        "client_id": "123",
    }
    ground.write("$PROJECT/service-account.json", json.dumps(key, indent=2))


def web_token(ground: Ground, place: str) -> None:
    """A JSON web token of a pod."""
    said = {"iss": "https://cluster.test", "sub": "system:serviceaccount:shop:web", "exp": 1790000000, "aud": ["api"]}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, said)
    ]
    ground.write(place, ".".join((*parts, ground.secret(length=86))))


def docker(ground: Ground) -> None:
    """As `docker login` writes it without a helper."""
    login = base64.b64encode(f"dev:{ground.secret('dckr_pat_')}".encode()).decode()
    document = {
        "auths": {
            "https://index.docker.example/v1/": {"auth": login},
            "ghcr.example": {},
            "other.example": {"identitytoken": ground.secret()},
        },
        "credHelpers": {"ghcr.example": "secretservice"},
    }
    ground.write("$HOME/.docker/config.json", json.dumps(document, indent="\t"))


def podman(ground: Ground) -> None:
    """As `skopeo login` and `podman login` write it."""
    login = base64.b64encode(f"dev:{ground.secret()}".encode()).decode()
    ground.write(
        "$XDG_CONFIG_HOME/containers/auth.json", json.dumps({"auths": {"registry.test:5000": {"auth": login}}})
    )


def azure(ground: Ground) -> None:
    """As the library of Microsoft's sign-in writes its cache, and the command line its principals."""
    account = "11111111-1111-1111-1111-111111111111.22222222-2222-2222-2222-222222222222"
    cache = {
        "AccessToken": {
            f"{account}-login.example-accesstoken-04b07795-organizations-https://management.example//.default": {
                "credential_type": "AccessToken",
                "secret": ground.secret("eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJo."),
                "home_account_id": account,
                "environment": "login.example",
                "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
                "target": "https://management.example//.default",
                "realm": "organizations",
                "cached_at": "1770000000",
                "expires_on": "1770003600",
            }
        },
        "RefreshToken": {
            f"{account}-login.example-refreshtoken-04b07795--": {
                "credential_type": "RefreshToken",
                "secret": ground.secret("0.A", 200),
                "home_account_id": account,
                "environment": "login.example",
                "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
                "last_modification_time": "1770000000",
            }
        },
        "Account": {account: {"home_account_id": account, "username": "dev@shop.example"}},
    }
    ground.write("$HOME/.azure/msal_token_cache.json", json.dumps(cache, indent=4))
    principal = [{"client_id": "3333", "tenant": "4444", "client_secret": ground.secret("abc8Q~", 34)}]
    ground.write("$HOME/.azure/service_principal_entries.json", json.dumps(principal))


def kubernetes(ground: Ground) -> None:
    """As `kubectl config` writes it."""
    key = base64.b64encode(pem(ground, "RSA PRIVATE KEY").encode()).decode()
    ground.write(
        "$HOME/.kube/config",
        f"""apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Zm9v
    server: https://cluster.test:6443
  name: shop
contexts:
- context: {{cluster: shop, user: admin}}
  name: shop
current-context: shop
kind: Config
users:
- name: admin
  user:
    client-certificate-data: Zm9v
    client-key-data: {key}
- name: robot
  user:
    token: {ground.secret()}
- name: cloud
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: aws
      args: [eks, get-token]
- name: basic
  user: {{username: dev, password: {ground.secret()}}}
""",
    )


def talos(ground: Ground) -> None:
    """As `talosctl config` writes it."""
    key = base64.b64encode(pem(ground, "ED25519 PRIVATE KEY", 1).encode()).decode()
    ground.write(
        "$HOME/.talos/config", f"context: shop\ncontexts:\n  shop:\n    ca: Zm9v\n    crt: Zm9v\n    key: {key}\n"
    )


RECIPES = {
    "aws-static": files(
        {
            "$HOME/.aws/credentials": "[default]\naws_access_key_id = AKIAQQQQQQQQQQQQQQQQ\naws_secret_access_key = <<>>\n\n"
            "[session]\naws_access_key_id = ASIAQQQQQQQQQQQQQQQQ\naws_secret_access_key = <<>>\naws_session_token = <<IQo>>\n",
            "$HOME/.aws/config": "[default]\nregion = eu-west-1\n\n[profile build]\n"
            "credential_process = /opt/give --token <<>>\ns3 =\n  max_concurrent_requests = 20\n",
        }
    ),
    "aws-sso-cache": files(
        {
            "$HOME/.aws/sso/cache/0123.json": '{"startUrl": "https://shop.awsapps.example/start", "region": "eu-west-1",'
            ' "accessToken": "<<aoa>>", "expiresAt": "2026-11-20T12:00:00Z", "clientId": "abc",'
            ' "clientSecret": "<<>>", "refreshToken": "<<aor>>"}',
            "$HOME/.aws/cli/cache/4567.json": '{"Credentials": {"AccessKeyId": "ASIAQQQQQQQQQQQQQQQQ",'
            ' "SecretAccessKey": "<<>>", "SessionToken": "<<IQo>>", "Expiration": "2026-11-20T12:00:00Z"}}',
        }
    ),
    "aws-imds": files({"/sys/class/dmi/id/sys_vendor": "Amazon EC2\n"}),
    "aws-bedrock": variables("AWS_BEARER_TOKEN_BEDROCK", prefix="ABSK"),
    "gcp-adc": files(
        {
            "$HOME/.config/gcloud/application_default_credentials.json": '{\n  "account": "",\n'
            '  "client_id": "764086051850-abc.apps.example",\n  "client_secret": "d-<<>>",\n'
            '  "quota_project_id": "shop",\n  "refresh_token": "<<1//0>>",\n  "type": "authorized_user"\n}'
        }
    ),
    "gcp-dbs": present("$HOME/.config/gcloud/credentials.db"),
    "gcp-dbs-accounts": folders("$HOME/.config/gcloud/legacy_credentials/dev@shop.example"),
    "gcp-sa-key": gcp_key,
    "gcp-api-key": variables("GOOGLE_MAPS_API_KEY", prefix="AIza"),
    "gcp-metadata": files({"/sys/class/dmi/id/product_name": "Google Compute Engine\n"}),
    "azure-msal": azure,
    "azure-imds": files({"/sys/class/dmi/id/chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77\n"}),
    "azure-storage": files({"$HOME/.azure/config": "[storage]\naccount = shop\nkey = <<>>\n"}),
    "cloudflare": files(
        {
            "$HOME/.wrangler/config/default.toml": 'oauth_token = "<<>>"\nexpiration_time = "2026-11-20T12:00:00.000Z"\n'
            'refresh_token = "<<>>"\nscopes = [ "account:read", "workers:write" ]\n'
        }
    ),
    "cloudflare-tunnel": files(
        {"$HOME/.cloudflared/6ff4.json": '{"AccountTag":"shop","TunnelSecret":"<<>>","TunnelID":"6ff4","Endpoint":""}'}
    ),
    "cloudflare-tunnel-certificate": present("$HOME/.cloudflared/cert.pem"),
    "vercel": files(
        {"$XDG_DATA_HOME/com.vercel.cli/auth.json": '{\n  "// Note": "keep it secret",\n  "token": "<<vcp_>>"\n}'}
    ),
    "netlify": files(
        {
            "$XDG_CONFIG_HOME/netlify/config.json": '{"userId": "5f", "users": {"5f": {"id": "5f", "name": "Dev",'
            ' "email": "dev@shop.example", "auth": {"token": "<<nfp_>>", "github": {"provider": "github"}}}}}'
        }
    ),
    "flyio": files(
        {"$HOME/.fly/config.yml": "access_token: <<FlyV1 fm2_>>,<<fm2_>>\nlast_login: 2026-01-01T00:00:00Z\n"}
    ),
    "heroku": variables("HEROKU_API_KEY", prefix="HRKU-AA"),
    "digitalocean": files(
        {
            "$XDG_CONFIG_HOME/doctl/config.yaml": "access-token: <<dop_v1_>>\nauth-contexts:\n  team: <<dop_v1_>>\n"
            "context: default\n"
        }
    ),
    "hetzner": files(
        {
            "$XDG_CONFIG_HOME/hcloud/cli.toml": 'active_context = "shop"\n\n[[contexts]]\n  name = "shop"\n  token = "<<>>"\n'
        }
    ),
    "other-clouds-oracle": files(
        {
            "$HOME/.oci/config": "[DEFAULT]\nuser=ocid1.user.oc1..aaaa\nfingerprint=aa:bb:cc\ntenancy=ocid1.tenancy.oc1..bbbb\n"
            "region=eu-frankfurt-1\nkey_file=~/.oci/key.pem\npass_phrase=<<>>\n"
        }
    ),
    "other-clouds-oracle-key": keys("$HOME/.oci/key.pem"),
    "other-clouds-linode": files(
        {"$XDG_CONFIG_HOME/linode-cli": "[DEFAULT]\ndefault-user = dev\n\n[dev]\ntoken = <<>>\nregion = eu-west\n"}
    ),
    "other-clouds-alibaba": files(
        {
            "$HOME/.aliyun/config.json": '{"current": "default", "profiles": [{"name": "default", "mode": "AK",'
            ' "access_key_id": "LTAIexample", "access_key_secret": "<<>>", "region_id": "eu-central-1"}]}'
        }
    ),
    "other-clouds-ibm": files({"$HOME/.bluemix/config.json": '{"IAMToken": "Bearer <<>>", "IAMRefreshToken": "<<>>"}'}),
    "other-clouds-scaleway": files(
        {
            "$XDG_CONFIG_HOME/scw/config.yaml": "access_key: SCWXXXXXXXXXXXXXXXXX\nsecret_key: <<>>\ndefault_project_id: shop\n"
        }
    ),
    "other-clouds-supabase": files({"$HOME/.supabase/access-token": "<<sbp_>>"}),
    "other-clouds-railway": files({"$HOME/.railway/config.json": '{"projects": {}, "user": {"token": "<<>>"}}'}),
    "other-clouds-firebase": files(
        {
            "$XDG_CONFIG_HOME/configstore/firebase-tools.json": '{"user": {"email": "dev@shop.example"},'
            ' "tokens": {"expires_at": 1770003600000, "refresh_token": "<<1//0>>", "access_token": "<<ya29.>>",'
            ' "scopes": ["email", "openid"]}}'
        }
    ),
    "other-clouds-expo": files(
        {"$HOME/.expo/state.json": '{"auth": {"sessionSecret": "<<>>", "userId": "1", "username": "dev"}}'}
    ),
    "other-clouds-ngrok": files({"$XDG_CONFIG_HOME/ngrok/ngrok.yml": 'version: "3"\nagent:\n    authtoken: <<>>\n'}),
    "other-clouds-bit": files(
        {"$HOME/.bit/config/config.json": '{"user.token": "<<>>", "analytics_reporting": false}'}
    ),
    "kubeconfig": kubernetes,
    "kubeconfig-talos": talos,
    "kubeconfig-cache": files({"$HOME/.kube/cache/oidc-login/0123": '{"id_token": "<<>>", "refresh_token": "<<>>"}'}),
    "k8s-incluster": lambda ground: web_token(ground, "/var/run/secrets/kubernetes.io/serviceaccount/token"),
    "helm-oci": podman,
    "helm-oci-repositories": files(
        {
            "$XDG_CONFIG_HOME/helm/repositories.yaml": 'apiVersion: ""\nrepositories:\n- name: shop\n  password: <<>>\n'
            "  url: https://charts.test\n  username: dev\n"
        }
    ),
    "docker": docker,
    "docker-sock": sockets("/var/run/docker.sock"),
    "docker-sock-key": keys("$HOME/.docker/key.pem", label="RSA PRIVATE KEY"),
    "terraform": files(
        {"$HOME/.terraform.d/credentials.tfrc.json": '{"credentials": {"app.terraform.example": {"token": "<<>>"}}}'}
    ),
    "terraform-rc": files(
        {
            "$HOME/.terraformrc": 'plugin_cache_dir = "$HOME/.terraform.d/plugin-cache"\n\n'
            'credentials "app.terraform.example" {\n  token = "<<>>"\n}\n'
        }
    ),
    "terraform-variables": files(
        {"$PROJECT/terraform.tfvars": 'region = "eu"\ndb_password = "<<>>"\nnames = [\n"a",\n]\n'}
    ),
    "terraform-state": files(
        {
            "$PROJECT/terraform.tfstate": '{"version": 4, "resources": [{"type": "random_password", "name": "db",'
            ' "instances": [{"attributes": {"id": "none", "length": 16, "password": "<<>>"}}]}]}'
        }
    ),
    "pulumi": files(
        {
            "$HOME/.pulumi/credentials.json": '{"current": "https://api.pulumi.example",'
            ' "accessTokens": {"https://api.pulumi.example": "<<pul->>"},'
            ' "accounts": {"https://api.pulumi.example": {"accessToken": "<<pul->>", "username": "dev"}}}'
        }
    ),
    "vault": files({"$HOME/.vault-token": "<<hvs.>>"}),
    "ansible-vault": files({"$PROJECT/.vault_pass": "<<>>\n"}),
    "sops-age": files(
        {
            "$XDG_CONFIG_HOME/sops/age/keys.txt": "# created: 2026-01-01T00:00:00Z\n# public key: age1"
            + "q" * 58
            + "\n"
            "<<AGE-SECRET-KEY-1>>\n"
        }
    ),
}
