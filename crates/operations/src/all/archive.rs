//! Servers as archives and as entries of the official registry.

use crate::access::About;
use crate::operation::{Declared, Effect, Operation, Scope};
use crate::{Context, Error, archive, server_json};

/// Packs servers.
pub struct Export;

impl Operation for Export {
    type Input = archive::ExportInput;
    type Output = archive::ExportOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::Admin,
        command: Some("export"),
        ..Declared::reads("archive.export", "/mcp/export", None).told(
            "Export servers",
            "Packs a server, or all of them, with every version into one archive with a manifest and digests. It holds no secrets.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        archive::export(context, input).await
    }
}

/// Stores what an archive holds.
pub struct Import;

impl Operation for Import {
    type Input = archive::ImportInput;
    type Output = archive::ImportOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::Admin,
        effect: Effect::Changes { destroys: true, idempotent: true },
        command: Some("import"),
        ..Declared::changes("archive.import", "/mcp/import", None).told(
            "Import servers",
            "Stores what an archive of `export` holds, all of it or nothing. Versions that are stored with another content are conflicts unless `force`.",
        )
        .may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        archive::import(context, input).await
    }
}

/// Writes the registry's entry of a server.
pub struct ExportServerJson;

impl Operation for ExportServerJson {
    type Input = server_json::ExportInput;
    type Output = server_json::ExportOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::ServersRead,
        command: Some("export"),
        ..Declared::reads("server.registry.export", "/mcp/servers/{name}/server.json", Some("export_server_json")).told(
            "Write the registry's entry of a server",
            "Gives the `server.json` with which the official MCP registry lists a deployed server: name, description, version and addresses.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        server_json::export(context, input).await
    }

    fn about(input: &Self::Input) -> About {
        About::Owned(input.name.clone())
    }
}

/// Makes a server of a registry's entry.
pub struct ImportServerJson;

impl Operation for ImportServerJson {
    type Input = server_json::ImportInput;
    type Output = server_json::ImportOutput;
    const DECLARED: Declared = Declared {
        command: Some("import"),
        ..Declared::changes("server.registry.import", "/mcp/import/server.json", Some("import_server_json")).told(
            "Make a server of a registry's entry",
            "Makes a server that passes calls on to the remote of a `server.json` of the official MCP registry, with all tools that the remote has now.",
        )
        .may_be_tried()
.of_a_server()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(server_json::import(context, input)).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        server_json::name(input)
    }

    fn about(input: &Self::Input) -> About {
        server_json::name(input).map_or(About::Spec, About::Makes)
    }

    fn changes(input: &Self::Input) -> Option<String> {
        (!input.dry_run).then(|| server_json::name(input)).flatten()
    }
}
