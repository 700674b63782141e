use std::path::Path;

use super::*;

const MANIFEST: &str = r#"
    spin_manifest_version = 2
    application = { name = "x" }
    [variables]
    color = { default = "blue" }
    token = { required = true, secret = true }
    [[trigger.http]]
    route = "/"
    component = "a"
    [component.a]
    source = "a.wasm"
    allowed_outbound_hosts = ["http://{{ color }}", "http://{{ token }}.example.com"]
    [component.a.variables]
    shade = "dark {{ color }}"
    auth = "Bearer {{ token }}"
"#;

fn application() -> Application {
    Application::parse(MANIFEST, Path::new(""), Path::new("spin.toml")).unwrap()
}

fn resolve(
    overrides: &[&str],
    providers: &[VariablesProvider],
    environment: &[(&str, &str)],
) -> Result<Variables, Error> {
    let overrides: Vec<VariableOverride> =
        overrides.iter().map(|text| text.parse().unwrap()).collect();
    let lookup = |name: &str| {
        environment
            .iter()
            .find(|known| known.0 == name)
            .map(|known| known.1.to_owned())
    };
    let sources = VariableSources {
        overrides: &overrides,
        providers,
        environment: &lookup,
    };
    Variables::resolve(&application(), &sources)
}

fn color(variables: &Variables) -> &str {
    variables.get("color").unwrap().expose()
}

const ENVIRONMENT: [(&str, &str); 3] = [
    ("SPIN_VARIABLE_TOKEN", "hunter2"),
    ("SPIN_VARIABLE_COLOR", "green"),
    ("PAINT_COLOR", "red"),
];

#[test]
fn overrides_go_before_providers_before_the_environment_before_defaults() {
    let paint = VariablesProvider::Environment {
        prefix: "PAINT".to_owned(),
        dotenv: None,
    };
    assert_eq!(
        color(&resolve(&[], &[], &ENVIRONMENT[..1]).unwrap()),
        "blue"
    );
    assert_eq!(color(&resolve(&[], &[], &ENVIRONMENT).unwrap()), "green");
    assert_eq!(
        color(&resolve(&[], std::slice::from_ref(&paint), &ENVIRONMENT).unwrap()),
        "red"
    );
    let values =
        VariablesProvider::Static([("color".to_owned(), crate::Secret::new("grey"))].into());
    assert_eq!(
        color(&resolve(&[], &[values, paint], &ENVIRONMENT).unwrap()),
        "grey"
    );
    assert_eq!(
        color(&resolve(&["color=a", "color=b=c"], &[], &ENVIRONMENT).unwrap()),
        "b=c"
    );
}

#[test]
fn a_required_variable_without_a_value_is_an_error_that_says_how_to_give_one() {
    let error = resolve(&[], &[], &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "variable token: is required in spin.toml and has no value; \
         give one with --variable token=… or SPIN_VARIABLE_TOKEN"
    );
}

#[test]
fn an_override_without_a_declaration_is_a_warning() {
    let resolved = resolve(&["colour=red"], &[], &ENVIRONMENT).unwrap();
    let warnings: Vec<_> = resolved
        .warnings()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        warnings,
        [
            "spin.toml: variables.colour: --variable gives a value to a variable that is not declared; \
          declare it, or remove the argument"
        ]
    );
}

#[test]
fn component_variables_are_secret_if_a_part_is() {
    let resolved = resolve(&[], &[], &ENVIRONMENT).unwrap();
    let variables = resolved.of(&application().components["a"]).unwrap();
    assert_eq!(variables["auth"].expose(), "Bearer hunter2");
    assert_eq!(
        format!("{variables:?}"),
        r#"{"auth": [redacted], "shade": "dark green"}"#
    );
    assert!(!format!("{resolved:?}").contains("hunter2"));
}

#[test]
fn hosts_are_checked_with_their_values_and_secrets_stay_secret() {
    let component = &application().components["a"];
    let allowed = resolve(&[], &[], &ENVIRONMENT)
        .unwrap()
        .allowed_hosts(component)
        .unwrap();
    assert!(allowed.allows("http", "green", 80));
    assert!(allowed.allows("http", "hunter2.example.com", 80));
    assert!(!format!("{allowed} {allowed:?}").contains("hunter2"));
    let error = |value: &str| {
        resolve(&[value], &[], &ENVIRONMENT)
            .unwrap()
            .allowed_hosts(component)
            .unwrap_err()
    };
    assert_eq!(
        error("color=a b").to_string(),
        "allowed_outbound_hosts \"http://{{ color }}\": of component \"a\", rendered as \"http://a b\": \
         \"a b\" is not a host (invalid international domain name); \
         write it like \"https://example.com\" or \"http://127.0.0.1:8080\""
    );
    assert!(!error("token=hunter 3").to_string().contains("hunter 3"));
}

#[test]
fn a_folder_has_one_file_for_each_variable() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "hunter2\n").unwrap();
    std::fs::write(folder.path().join("color"), "two\nlines\n\n").unwrap();
    let provider = VariablesProvider::Files(folder.path().to_owned());
    let resolved = resolve(&[], &[provider], &[]).unwrap();
    assert_eq!(resolved.get("token").unwrap().expose(), "hunter2");
    assert_eq!(color(&resolved), "two\nlines\n");
}

#[test]
fn overrides_can_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let text = file("token.txt", "from a file\n");
    let json = file("v.json", r#"{"color": "from json"}"#);
    let toml = file("v.toml", "color = 'from toml'");
    let token = format!("token=@{text}");
    let resolved = resolve(&[&token, &format!("@{json}")], &[], &[]).unwrap();
    assert_eq!(resolved.get("token").unwrap().expose(), "from a file\n");
    assert_eq!(color(&resolved), "from json");
    assert_eq!(
        color(&resolve(&[&token, &format!("@{toml}")], &[], &[]).unwrap()),
        "from toml"
    );
}

#[test]
fn broken_files_of_variables_are_named_without_their_values() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, expected) in [
        (
            "v.json",
            "{\"token\":\n [\"hunter2\"]}",
            ":2: is not a JSON object of strings; write one string for each variable",
        ),
        (
            "v.toml",
            "color = 'x'\ntoken = hunter2",
            ":2: is not a TOML table of strings; write one string for each variable",
        ),
        (
            "w.toml",
            "token = ['hunter2']",
            ":1: is not a TOML table of strings; write one string for each variable",
        ),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let error = resolve(&[&format!("@{}", file.display())], &[], &[]).unwrap_err();
        assert_eq!(error.to_string(), format!("{}{expected}", file.display()));
    }
    let error = resolve(&["@/nowhere/v.json"], &[], &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("/nowhere/v.json: can't be read: "),
        "{error}"
    );
}

#[test]
fn arguments_that_say_nothing_are_errors() {
    for (argument, expected) in [
        (
            "nope",
            "variable (--variable): has no \"=\"; write name=value, name=@file, @file.json or @file.toml",
        ),
        (
            "@v.yaml",
            "variable (--variable): a file of variables must end in .json or .toml; name it so, or write name=@file",
        ),
    ] {
        assert_eq!(
            argument
                .parse::<VariableOverride>()
                .unwrap_err()
                .to_string(),
            expected
        );
    }
}
