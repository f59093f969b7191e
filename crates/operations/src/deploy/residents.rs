//! Which servers this home folder keeps something for, where several control planes share a store: one that is removed at another
//! control plane leaves its files here, and nobody else may find them, whoever takes its name next.
//!
//! For each server that was launched here a small file holds when that server was made: by it, one is told from a later one of the
//! same name. What no such file speaks of is left alone; it may be of a spec that somebody runs from a file.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::{Code, Context, Error};

/// The folder of those files, below the home folder.
pub(crate) const FOLDER: &str = "servers";

/// Takes away what is here of an earlier server of this name, and notes that this one is here now. To be called before it runs.
pub(super) async fn settle(context: &Context, name: &str) {
    if !context.is_shared() {
        return;
    }
    let key = name.to_owned();
    let made = context.store(move |store| store.made_at(&key)).await;
    let settled = match made {
        Ok(made) => settled(context, name, made.as_deref()).await,
        Err(error) => Err(error),
    };
    if let Err(error) = settled {
        tracing::warn!(server = name, %error, "what an earlier server of this name left here may still be there");
    }
}

/// Takes away what is here of servers that were removed, or made again, at other control planes.
pub(super) async fn look(context: &Context) {
    let (Some(targets), true) = (&context.targets, context.is_shared()) else { return };
    let here = targets.residents.lock().get_or_insert_with(|| noted(context)).clone();
    if here.is_empty() {
        return;
    }
    let made: HashMap<String, String> = match context.store(store::Store::all_made_at).await {
        Ok(made) => made.into_iter().collect(),
        Err(error) => return tracing::warn!(%error, "servers that were removed elsewhere could not be looked for"),
    };
    for (name, _) in here.iter().filter(|(name, at)| made.get(*name) != Some(*at)) {
        // Nobody launches it meanwhile.
        let _turn = targets.turn(name).await;
        settle(context, name).await;
    }
}

async fn settled(context: &Context, name: &str, made: Option<&str>) -> Result<(), Error> {
    let file = file(context, name);
    let noted = std::fs::read_to_string(&file).ok();
    if noted.as_deref() == made {
        return Ok(());
    }
    if noted.is_some() {
        crate::remove::forget_files(context, name).await?;
    }
    if let Some(targets) = &context.targets {
        let mut here = targets.residents.lock();
        let here = here.get_or_insert_with(|| self::noted(context));
        match made {
            Some(made) => drop(here.insert(name.to_owned(), made.to_owned())),
            None => drop(here.remove(name)),
        }
    }
    let failed = |error: std::io::Error| {
        Error::new(Code::CannotWrite, format!("cannot write {}: {error}", file.display()))
            .hint("check the home folder's permissions and the free space of the disk")
    };
    let Some(made) = made else {
        return match std::fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        };
    };
    let folder = context.home.path().join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let aside = folder.join(format!(".{name}"));
    std::fs::write(&aside, made).and_then(|()| std::fs::rename(&aside, &file)).map_err(failed)
}

fn file(context: &Context, name: &str) -> PathBuf {
    context.home.path().join(FOLDER).join(name)
}

/// The servers that were launched here, with when each was made.
fn noted(context: &Context) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(context.home.path().join(FOLDER)).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = names.filter(|name| !name.starts_with('.'));
    names.filter_map(|name| Some((name.clone(), std::fs::read_to_string(file(context, &name)).ok()?))).collect()
}
