"""Recipes of personal stores, signing keys, and files that may hold anything."""

from __future__ import annotations

from tests.fixtures_reach import Ground
from tests.fixtures_reach.templates import files, folders, keys, pem, present, sockets, variables

METAMASK = "nkbihfbeogaeaoehlefnkodbefgpgknn"


def gpg(ground: Ground) -> None:
    """Keys as GnuPG's agent keeps them: with a passphrase, in plain, on a card."""
    folder = "$HOME/.gnupg/private-keys-v1.d"
    ground.write(
        f"{folder}/{'A' * 40}.key",
        f"Created: 20260101T000000\nKey: (protected-private-key (ecc (q #00#) (x {ground.secret()})))\n",
    )
    ground.write(f"{folder}/{'B' * 40}.key", f"(11:private-key(3:ecc(5:curve7:Ed25519)(1:d36:{ground.secret()})))")
    ground.write(
        f"{folder}/{'C' * 40}.key", "Key: (shadowed-private-key (ecc (q #00#) (shadowed t1-v1 (#00# OPENPGP.1))))\n"
    )


def windows_store(ground: Ground) -> None:
    """A store of PKCS #12, its outer form alone."""
    ground.write("$PROJECT/release.pfx", b"\x30\x82\x05\x00\x02\x01\x03\x30" + ground.secret(length=200).encode())


def java_store(ground: Ground) -> None:
    """A store in Sun's own form with one key."""
    key = ground.secret(length=100).encode()
    ground.write(
        "$PROJECT/app/release.jks",
        b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\x06upload\0\0\x01\x9b\x00\x00\x00\x00"
        + len(key).to_bytes(4, "big")
        + key
        + b"\0\0\0\0"
        + b"\0" * 20,
    )


def putty(ground: Ground) -> None:
    """As `puttygen` writes it."""
    ground.write(
        "$HOME/.ssh/server.ppk",
        f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: dev@desk\nPublic-Lines: 1\nAAAA\n"
        f"Private-Lines: 1\n{ground.secret()}\nPrivate-MAC: {ground.secret(length=64)}\n",
    )


def openvpn(ground: Ground) -> None:
    """A client's configuration with its key inside."""
    ground.write(
        "$HOME/work.ovpn",
        f"client\nremote vpn.test 1194\nauth-user-pass login.txt\n<key>\n{pem(ground)}</key>\n"
        f"<tls-auth>\n{ground.secret(length=64)}\n</tls-auth>\n",
    )


RECIPES = {
    "gpg": gpg,
    "gpg-agent": sockets("$HOME/.gnupg/S.gpg-agent"),
    "apple-sign": keys("$PROJECT/AuthKey_ABC.p8"),
    "win-sign": windows_store,
    "android-sign": java_store,
    "android-sign-properties": files(
        {"$PROJECT/key.properties": "storePassword=<<>>\nkeyPassword=<<>>\nkeyAlias=upload\nstoreFile=../release.jks\n"}
    ),
    "browser-profiles": folders("$XDG_CONFIG_HOME/chromium/Default", "$HOME/.mozilla/firefox"),
    "wallet-ext": folders(f"$XDG_CONFIG_HOME/google-chrome/Default/Local Extension Settings/{METAMASK}"),
    "wallet-desktop": folders("$HOME/.electrum/wallets"),
    "pw-managers": folders("$XDG_CONFIG_HOME/Bitwarden"),
    "op-cli": files(
        {
            "$XDG_CONFIG_HOME/op/config": '{"latest_signin": "shop", "accounts": [{"shorthand": "shop",'
            ' "url": "https://shop.1password.example", "email": "dev@shop.example", "accountKey": "<<A3->>",'
            ' "userUUID": "U1", "sessionToken": "<<>>"}]}'
        }
    ),
    "op-cli-daemon": sockets("$HOME/.config/op/op-daemon.sock"),
    "bw-cli": present("$XDG_CONFIG_HOME/Bitwarden CLI/data.json"),
    "lpass-cli": folders("$XDG_DATA_HOME/lpass"),
    "os-keychain": folders("$XDG_DATA_HOME/keyrings"),
    "dotenv": files(
        {
            "$PROJECT/.env": "NODE_ENV=production\nDATABASE_URL=postgres://dev:<<>>@db.test/shop\n"
            "export STRIPE_SECRET_KEY=\"<<sk_live_>>\"\nNEXT_PUBLIC_KEY=abc\nSESSION_SECRET='<<>>' # rotate\n",
            "$PROJECT/.env.local": "API_TOKEN=<<ghp_>>\nEMPTY_TOKEN=\nREFERENCE_TOKEN=${API_TOKEN}\n",
            "$PROJECT/.envrc": "export CLOUD_TOKEN=<<>>\nuse flake\n",
        }
    ),
    "dotenv-example": files(
        {
            "$PROJECT/.env.example": "DB_PASSWORD=hunter2hunter2\nSTRIPE_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxx\nGH=<<ghp_>>\n"
        }
    ),
    "dotenv-settings": files(
        {
            "$PROJECT/appsettings.Production.json": '{"ConnectionStrings": {"Main": "Server=db;User=dev"},'
            ' "Smtp": {"Password": "<<>>"}, // mail\n "Logging": {}}'
        }
    ),
    "dotenv-master-key": files({"$PROJECT/config/master.key": "<<>>"}),
    "dotenv-compose": files(
        {
            "$PROJECT/compose.yaml": "services:\n  db:\n    image: postgres\n    environment:\n      POSTGRES_PASSWORD: <<>>\n"
            "  web:\n    env_file: .env\n    environment:\n      - SECRET_KEY=<<>>\n      - DEBUG=0\n"
            "secrets:\n  token:\n    file: ./token.txt\n"
        }
    ),
    "dotenv-keys": files({"$PROJECT/.env.keys": '# keys\nDOTENV_PRIVATE_KEY_PRODUCTION="<<>>"\n'}),
    "shell-history": files(
        {"$HOME/.bash_history": "ls\ncurl -H 'Authorization: token <<ghp_>>' https://x.test\nexport A=<<ghp_>>\n"}
    ),
    "shell-rc": files(
        {
            "$HOME/.zshrc": "# mine\nexport PATH=$HOME/bin:$PATH\nexport OPENAI_API_KEY=<<sk-proj->>\n"
            'export NPM_TOKEN="<<npm_>>"; export EDITOR=vi\nalias k=kubectl\n',
            "$XDG_CONFIG_HOME/fish/config.fish": "set -gx DEPLOY_TOKEN <<>>\nset -gx PATH $PATH /opt/bin\n",
        }
    ),
    "shell-rc-fish-variables": files(
        {
            "$XDG_CONFIG_HOME/fish/fish_variables": "# This file contains fish universal variable definitions.\n"
            "# VERSION: 3.0\nSETUVAR --export DEPLOY_SECRET:<<>>\nSETUVAR fish_greeting:hello\n"
        }
    ),
    "variables-by-name": variables("SHOP_INTERNAL_TOKEN"),
    "k8s-secret-files": files({"/run/secrets/database": "<<>>"}),
    "vpn-mesh": files(
        {
            "/etc/wireguard/wg0.conf": "[Interface]\nPrivateKey = <<>>=\nAddress = 10.0.0.2/32\n\n[Peer]\n"
            "PublicKey = abc=\nPresharedKey = <<>>=\nEndpoint = vpn.test:51820\n"
        }
    ),
    "vpn-mesh-openvpn": openvpn,
    "vpn-mesh-state": present("/var/lib/tailscale/tailscaled.state"),
    "remote-tools-filezilla": files(
        {
            "$XDG_CONFIG_HOME/filezilla/sitemanager.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<FileZilla3><Servers>'
            "<Server><Host>ftp.test</Host><Port>21</Port><User>dev</User>"
            '<Pass encoding="base64"><<>></Pass><Name>shop</Name></Server></Servers></FileZilla3>\n'
        }
    ),
    "remote-tools-winscp": files(
        {"$HOME/WinSCP.ini": "[Sessions\\shop]\nHostName=server.test\nUserName=dev\nPassword=<<>>\n"}
    ),
    "remote-tools-putty": putty,
    "remote-tools-rclone": files(
        {
            "$XDG_CONFIG_HOME/rclone/rclone.conf": "[store]\ntype = s3\naccess_key_id = AKIAQQQQQQQQQQQQQQQQ\n"
            'secret_access_key = <<>>\n\n[drive]\ntype = drive\ntoken = {"access_token":"<<ya29.>>"}\n'
        }
    ),
    "remote-tools-s3": files({"$HOME/.s3cfg": "[default]\naccess_key = AKIAQQQQQQQQQQQQQQQQ\nsecret_key = <<>>\n"}),
    "remote-tools-rdp": files(
        {"$HOME/server.rdp": "full address:s:server.test\nusername:s:dev\npassword 51:b:<<>>\nscreen mode id:i:2\n"}
    ),
    "mobile-mfa": folders("$XDG_CONFIG_HOME/Authy Desktop"),
    "tls-keys": keys("$PROJECT/certs/server.key"),
    "tls-keys-certbot": folders("/etc/letsencrypt/live/shop.test"),
}
