//! The files of `edge/`, without running them.

use std::process::Command;

use spinfo_proof::stack::backends::program;
use spinfo_tests::artifacts::workspace;

#[test]
#[ignore = "needs Caddy; see proof/backends/install"]
fn they_are_as_caddy_formats_them_and_every_mode_is_valid() {
    let folder = workspace().join("edge");
    for file in [
        "Caddyfile",
        "common.caddyfile",
        "modes/http.caddyfile",
        "modes/https.caddyfile",
        "replicas/dns.caddyfile",
        "replicas/list.caddyfile",
    ] {
        let path = folder.join(file);
        let formatted = Command::new(program("caddy"))
            .arg("fmt")
            .arg(&path)
            .output();
        let formatted = String::from_utf8(formatted.unwrap().stdout).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, formatted, "{file}: run caddy fmt --overwrite");
    }
    for mode in ["https", "http"] {
        for replicas in ["list", "dns"] {
            let adapted = Command::new(program("caddy"))
                .args(["adapt", "--config"])
                .arg(folder.join("Caddyfile"))
                .env_clear()
                .env("HOME", folder.as_os_str())
                .env("EDGE_MODE", mode)
                .env("EDGE_REPLICAS", replicas)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&adapted.stderr);
            assert!(adapted.status.success(), "{mode} {replicas}: {said}");
            assert!(!said.contains("warn"), "{mode} {replicas}: {said}");
        }
    }
}
