"""Recipes of databases, services, models and their agents, messaging."""

from __future__ import annotations

from tests.fixtures_reach.templates import files, folders, keys, present, variables

RECIPES = {
    "pgpass": files(
        {"$HOME/.pgpass": "# of the shop\ndb.test:5432:shop:dev:<<>>\n*:*:*:admin:with\\:colon<<>>\n"},
    ),
    "pgpass-services": files(
        {"$HOME/.pg_service.conf": "[shop]\nhost=db.test\ndbname=shop\nuser=dev\npassword=<<>>\n"}
    ),
    "mysql": files(
        {"$HOME/.my.cnf": "[client]\nuser = dev\nhost = db.test\npassword = '<<>>'\n\n[mysqld]\nskip-networking\n"}
    ),
    "mongo-redis": files(
        {
            "$HOME/.mongodb/mongosh/mongosh_repl_history": "db = connect('mongodb+srv://dev:<<>>@db.test/shop')\nshow dbs\n"
        }
    ),
    "mongo-redis-atlas": files(
        {
            "$XDG_CONFIG_HOME/atlascli/config.toml": "version = 2\n[default]\n  org_id = '5f'\n"
            "  private_api_key = '<<>>'\n  public_api_key = 'abcdefgh'\n"
        }
    ),
    "mongo-redis-environment": variables("REDIS_PASSWORD"),
    "db-clients": present("$HOME/.pgadmin/pgadmin4.db"),
    "kafka": files(
        {
            "$PROJECT/client.properties": "bootstrap.servers=kafka.test:9092\nsecurity.protocol=SASL_SSL\n"
            "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n"
            '    username="dev" \\\n    password="<<>>";\nssl.key.password=<<>>\n'
        }
    ),
    "kafka-confluent": files(
        {
            "$HOME/.confluent/config.json": '{"context_states": {"login": {"auth_token": "<<>>",'
            ' "auth_refresh_token": "<<>>"}}, "credentials": {"c": {"api_key_pair": {"api_key": "K", "api_secret": "<<>>"}}}}'
        }
    ),
    "snowflake": files(
        {
            "$XDG_CONFIG_HOME/snowflake/connections.toml": '[dev]\naccount = "shop"\nuser = "dev"\npassword = "<<>>"\n'
            'role = "builder"\n\n[robot]\naccount = "shop"\nprivate_key_file = "~/.ssh/rsa_key.p8"\n'
        }
    ),
    "snowflake-snowsql": files(
        {"$HOME/.snowsql/config": "[connections.shop]\naccountname = shop\nusername = dev\npassword = <<>>\n"}
    ),
    "snowflake-key": keys("$HOME/.snowflake/rsa_key.p8", label="ENCRYPTED PRIVATE KEY"),
    "data-tools-dbt": files(
        {
            "$HOME/.dbt/profiles.yml": "shop:\n  target: dev\n  outputs:\n    dev:\n      type: postgres\n      host: db.test\n"
            "      user: dev\n      password: <<>>\n    ci:\n      type: postgres\n      host: db.test\n      user: ci\n"
            "      password: \"{{ env_var('DBT_PASSWORD') }}\"\n"
        }
    ),
    "data-tools-databricks": files({"$HOME/.databrickscfg": "[DEFAULT]\nhost = https://shop.test\ntoken = <<dapi>>\n"}),
    "data-tools-databricks-cache": files(
        {
            "$HOME/.databricks/token-cache.json": '{"version": 1, "tokens": {"https://shop.test": {"access_token": "<<>>",'
            ' "refresh_token": "<<>>", "expiry": "2026-11-20T12:00:00.123456789Z"}}}'
        }
    ),
    "data-tools-kaggle": files({"$HOME/.kaggle/kaggle.json": '{"username":"dev","key":"<<>>"}'}),
    "data-tools-wandb": files(
        {"$XDG_CONFIG_HOME/wandb/settings": "[default]\nbase_url = https://wandb.test\napi_key = <<>>\n"}
    ),
    "data-tools-airflow": files(
        {
            "$HOME/airflow/airflow.cfg": "[core]\nfernet_key = <<>>=\n\n[database]\n"
            "sql_alchemy_conn = postgresql://airflow:<<>>@db.test/airflow\n"
        }
    ),
    "stripe": files(
        {
            "$XDG_CONFIG_HOME/stripe/config.toml": 'color = ""\n\n[default]\naccount_id = "acct_1"\ndevice_name = "desk"\n'
            'display_name = "Shop"\nlive_mode_api_key = "<<rk_live_>>"\nlive_mode_pub_key = "pk_live_51"\n'
            'test_mode_api_key = "<<sk_test_>>"\ntest_mode_key_expires_at = "2026-02-01"\n'
        }
    ),
    "twilio": files(
        {
            "$HOME/.twilio-cli/config.json": '{"profiles": {"shop": {"accountSid": "AC1", "apiKey": "SK1",'
            ' "apiKeySecret": "<<>>"}}}'
        }
    ),
    "sendgrid-mail": files(
        {
            "$HOME/.msmtprc": "defaults\ntls on\n\naccount shop\nhost mail.test\nuser dev\npassword <<>>\n\naccount default : shop\n"
        }
    ),
    "slack-app": files(
        {
            "$HOME/.slack/credentials.json": '{"T01": {"token": "<<xoxe.xoxp-1->>", "refresh_token": "<<xoxe-1->>",'
            ' "team_domain": "shop", "team_id": "T01", "user_id": "U01", "exp": 1770003600}}'
        }
    ),
    "slack-desktop": folders("$XDG_CONFIG_HOME/Slack"),
    "discord": variables("DISCORD_TOKEN"),
    "discord-desktop": folders("$XDG_CONFIG_HOME/discord"),
    "telegram": variables("TELEGRAM_BOT_TOKEN", prefix="123456789:A"),
    "telegram-desktop": folders("$XDG_DATA_HOME/TelegramDesktop/tdata"),
    "sentry": files(
        {"$HOME/.sentryclirc": "[auth]\ntoken=<<sntrys_>>\n\n[defaults]\norg=shop\nurl=https://sentry.test/\n"}
    ),
    "datadog-obs": files(
        {"/etc/datadog-agent/datadog.yaml": "api_key: <<>>\nsite: datadoghq.example\n# app_key: none\n"}
    ),
    "datadog-obs-dogrc": files({"$HOME/.dogrc": "[Connection]\napikey = <<>>\nappkey = <<>>\n"}),
    "openai": files({"$HOME/.openai/api_key": "<<sk-proj->>\n"}),
    "codex-auth": files(
        {
            "$HOME/.codex/auth.json": '{"OPENAI_API_KEY": null, "tokens": {"id_token": "<<>>", "access_token": "<<>>",'
            ' "refresh_token": "<<>>", "account_id": "acc-1"}, "last_refresh": "2026-01-01T00:00:00.123456789Z"}'
        }
    ),
    "anthropic": variables("ANTHROPIC_API_KEY", prefix="sk-ant-api03-"),
    "claude-code": files(
        {
            "$HOME/.claude/.credentials.json": '{"claudeAiOauth": {"accessToken": "<<sk-ant-oat01->>",'
            ' "refreshToken": "<<sk-ant-ort01->>", "expiresAt": 1770003600000, "scopes": ["user:inference"],'
            ' "subscriptionType": "max"}, "mcpOAuth": {"linear|0123": {"serverName": "linear", "accessToken": "<<>>"}}}'
        }
    ),
    "google-ai": files(
        {
            "$HOME/.gemini/oauth_creds.json": '{"access_token": "<<ya29.>>", "scope": "openid email",'
            ' "token_type": "Bearer", "refresh_token": "<<1//0>>", "expiry_date": 1770003600000}'
        }
    ),
    "google-ai-environment": files({"$HOME/.gemini/.env": "GEMINI_API_KEY=<<AIza>>\n"}),
    "other-agents-copilot": files(
        {
            "$XDG_CONFIG_HOME/github-copilot/apps.json": '{"github.example:Iv1.0": {"user": "dev",'
            ' "oauth_token": "<<ghu_>>", "githubAppId": "Iv1.0"}}'
        }
    ),
    "other-agents": files(
        {
            "$XDG_DATA_HOME/opencode/auth.json": '{"anthropic": {"type": "oauth", "refresh": "<<>>", "access": "<<>>",'
            ' "expires": 1770003600000}, "openrouter": {"type": "api", "key": "<<>>"}}'
        }
    ),
    "other-agents-yaml": files({"$HOME/.aider.conf.yml": "model: sonnet\nopenai-api-key: <<sk-proj->>\n"}),
    "other-agents-state": present("$XDG_CONFIG_HOME/Cursor/User/globalStorage/state.vscdb"),
    "mcp-config": files(
        {
            "$PROJECT/.mcp.json": '{"mcpServers": {"github": {"command": "server", "args": ["--key", "<<ghp_>>"],'
            ' "env": {"GITHUB_TOKEN": "<<ghp_>>", "LOG_LEVEL": "info", "OTHER_TOKEN": "${OTHER_TOKEN}"}},'
            ' "remote": {"url": "https://mcp.test/sse?api_key=<<>>", "headers": {"Authorization": "Bearer <<>>"}}}}',
            "$HOME/.codex/config.toml": '[mcp_servers.files]\ncommand = "server"\n[mcp_servers.files.env]\nAPI_KEY = "<<>>"\n',
        }
    ),
    "agent-logs": folders("$HOME/.claude/projects/-srv-shop"),
    "huggingface": files({"$HOME/.cache/huggingface/token": "<<hf_>>"}),
    "huggingface-stored": files({"$XDG_CACHE_HOME/huggingface/stored_tokens": "[laptop]\nhf_token = <<hf_>>\n"}),
    "groq-etc": variables("GROQ_API_KEY", prefix="gsk_"),
}
