//! `spin:variables@3.0.0`: the component's variables, resolved before the host listens.

use wasmtime::component::{Accessor, HasData};

use crate::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use crate::runtime::Guest;

pub(crate) struct Variables;

impl HasData for Variables {
    type Data<'a> = &'a mut Guest;
}

impl Host for &mut Guest {}

impl<T: Send> HostWithStore<T> for Variables {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        if !spinfo_manifest::is_variable_name(&name) {
            return Ok(Err(Error::InvalidName(format!(
                "{name:?} is not a variable name: use a-z, 0-9 and _"
            ))));
        }
        Ok(accessor.with(|mut access| {
            let component = &access.get().component;
            match component.grants.variables.get(&name) {
                Some(value) => Ok(value.expose().to_owned()),
                None => Err(Error::Undefined(format!(
                    "component {:?} has no variable {name:?}; add it under [component.{}.variables]",
                    component.id, component.id
                ))),
            }
        }))
    }
}
