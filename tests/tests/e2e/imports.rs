//! What the components import: only what every Spin host offers.

use std::collections::BTreeSet;
use std::fs;

use spinfo_tests::artifacts;
use wasmparser::{ComponentExternName, Parser, Payload};

const ALLOWED: [&str; 2] = ["spin:key-value/", "spin:variables/"];
/// Interfaces of these packages are allowed in versions 0.2 and 0.3.
const WASI: &str = "wasi:";

fn names(wasm: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut imports, mut exports) = (BTreeSet::new(), BTreeSet::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            // Inner modules and components have imports of their own, which the outer component satisfies.
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(section.into_iter().map(|import| name(import.unwrap().name)));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(section.into_iter().map(|export| name(export.unwrap().name)));
            }
            _ => {}
        }
    }
    (imports, exports)
}

fn name(name: ComponentExternName<'_>) -> String {
    name.name.to_owned()
}

fn is_allowed(import: &str) -> bool {
    let version = import.rsplit_once('@').map_or("", |(_, version)| version);
    let wasi =
        import.starts_with(WASI) && (version.starts_with("0.2.") || version.starts_with("0.3."));
    wasi || ALLOWED
        .iter()
        .any(|prefix| import.starts_with(prefix) && version.starts_with("3.0."))
}

#[test]
fn components_import_only_wasi_key_value_and_variables() {
    let manifest: toml::Table = fs::read_to_string(artifacts::manifest())
        .unwrap()
        .parse()
        .unwrap();
    let components = manifest["component"].as_table().unwrap();
    assert_eq!(components.len(), 5);
    for (id, component) in components {
        let source = artifacts::workspace().join(component["source"].as_str().unwrap());
        let (imports, exports) = names(&fs::read(source).unwrap());
        let refused: Vec<_> = imports
            .iter()
            .filter(|import| !is_allowed(import))
            .collect();
        assert!(refused.is_empty(), "{id} imports {refused:?}");
        assert!(
            imports.iter().any(|import| import.starts_with("wasi:")),
            "{id}: no imports were found"
        );
        assert!(
            exports
                .iter()
                .any(|export| export.starts_with("wasi:http/handler@0.3.")),
            "{id} exports {exports:?}"
        );
    }
}

#[test]
fn the_fixture_for_wasi_02_imports_nothing_newer() {
    let (imports, exports) = names(&fs::read(artifacts::component("fixture_proxy02")).unwrap());
    assert!(
        imports.iter().all(|import| import.contains("@0.2.")),
        "{imports:?}"
    );
    assert!(
        exports
            .iter()
            .any(|export| export.starts_with("wasi:http/incoming-handler@0.2.")),
        "{exports:?}"
    );
}
