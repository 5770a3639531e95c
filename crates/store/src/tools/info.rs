//! What there is.

use super::{
    Place, ToolError, catalog,
    connection::{Access, Cell, Connection, Kind},
};
use crate::{Head, migrations, sql, sql::Statement};
use uuid::Uuid;

/// An installation, from the outside.
#[derive(Debug, Clone)]
pub struct Info {
    /// The newest step that its tables have seen.
    pub version: u64,
    /// The size of the database, in bytes.
    pub bytes: u64,
    pub environments: Vec<EnvironmentInfo>,
    pub tables: Vec<TableInfo>,
}

/// An environment.
#[derive(Debug, Clone)]
pub struct EnvironmentInfo {
    /// `project/environment`, as keys.
    pub name: String,
    pub id: Uuid,
    pub head: Head,
    /// The revision of the image from which a start reads, if there is one.
    pub image: Option<u64>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct TableInfo {
    pub name: String,
    pub rows: u64,
}

const ENVIRONMENTS: &str = "SELECT p.key, e.key, e.id, e.epoch, e.head_revision, i.revision FROM environment AS e \
     JOIN project AS p ON p.id = e.project LEFT JOIN image AS i ON i.env = e.id AND i.epoch = e.epoch \
     ORDER BY p.pos, e.pos";

/// Looks at an installation, which may be served meanwhile. Counts all rows, which takes a moment.
///
/// # Errors
/// When there is none, or it is of another version or an unfinished copy.
pub async fn info(place: &Place) -> Result<Info, ToolError> {
    let mut connection = Connection::open(place, Access::Read).await?;
    connection.require_current().await?;
    connection.begin_look().await?;
    let id = match place {
        Place::Sqlite(_) => Kind::Bytes,
        Place::Postgres(_) => Kind::Uuid,
    };
    let kinds = [Kind::Text, Kind::Text, id, id, Kind::Int, Kind::Int];
    let mut environments = Vec::new();
    for row in connection.rows(Statement::new(ENVIRONMENTS, Vec::new()), &kinds).await? {
        let [
            Cell::Text(project),
            Cell::Text(env),
            Cell::Bytes(id),
            Cell::Bytes(epoch),
            Cell::Int(head),
            image,
        ] = row.as_slice()
        else {
            continue;
        };
        let image = match image {
            Cell::Int(revision) => Some(sql::whole("image", *revision)?),
            _ => None,
        };
        environments.push(EnvironmentInfo {
            name: format!("{project}/{env}"),
            id: Uuid::from_slice(id).unwrap_or_default(),
            head: Head {
                epoch: Uuid::from_slice(epoch).unwrap_or_default(),
                revision: sql::whole("head", *head)?,
            },
            image,
        });
    }
    let mut tables = Vec::new();
    for table in catalog::tables(&mut connection).await? {
        let rows = connection.count(&table.name).await?;
        tables.push(TableInfo { name: table.name, rows });
    }
    let bytes = match place {
        Place::Sqlite(_) => "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        Place::Postgres(_) => "SELECT pg_database_size(current_database())",
    };
    let bytes = connection.number(bytes.to_owned()).await?;
    connection.close().await;
    Ok(Info { version: migrations::newest(), bytes, environments, tables })
}
