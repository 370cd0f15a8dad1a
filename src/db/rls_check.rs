//! The check of row security at start-up. A database in which a statement without its tenant predicate could reach the rows
//! of another tenant is refused. Each finding is a sentence that names the problem; nothing is repaired.

use super::{Database, DbError, Result};

/// The role of a transaction of one tenant.
pub(super) const APP: &str = "xboard_app";
/// The role of a transaction over accounts, the directory of shops and the jobs.
pub(super) const SYSTEM: &str = "xboard_system";
/// The first version of PostgreSQL with `security_invoker` views.
const OLDEST_SERVER: i32 = 150_000;
/// The tables with a tenant that are read before the tenant is resolved. They belong to the system role.
pub const DIRECTORY: [&str; 4] = ["memberships", "sessions", "jobs", "invitations"];
/// The only allowed condition of a tenant policy, as PostgreSQL writes it.
const OWN_ROWS: &str =
    "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)";

impl Database {
    /// Refuses a database that does not isolate tenants: an old server, a role with too many rights or one that the user
    /// cannot switch to, a table without forced row security, a policy that allows other rows, or a right that bypasses
    /// policies.
    pub async fn check_row_security(&self) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        let findings = findings(&mut connection).await?;
        if findings.is_empty() {
            Ok(())
        } else {
            Err(DbError::Unsafe(findings.join("; ")))
        }
    }
}

/// The problems of the database, one sentence each.
pub async fn findings(connection: &mut sqlx::PgConnection) -> Result<Vec<String>> {
    let version =
        sqlx::query_scalar!("select current_setting('server_version_num')::int as \"version!\"")
            .fetch_one(&mut *connection)
            .await?;
    if version < OLDEST_SERVER {
        return Ok(vec!["the server is older than PostgreSQL 15".to_owned()]);
    }
    let mut findings = roles(connection, version).await?;
    findings.extend(tables(connection).await?);
    findings.extend(policies(connection).await?);
    findings.extend(rights(connection).await?);
    Ok(findings)
}

async fn roles(connection: &mut sqlx::PgConnection, version: i32) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    // Before version 16, every member can switch to a role.
    let privilege = if version >= 160_000 { "set" } else { "member" };
    let found = sqlx::query!(
        "select rolname::text as \"name!\", rolsuper or rolbypassrls as \"bypasses!\", rolcanlogin as \"signs_in!\", \
           rolcreaterole or rolcreatedb or rolreplication as \"powerful!\", \
           pg_has_role(current_user, oid, $1) as \"reachable!\", current_user::text as \"user!\", \
           array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid \
                 where m.member = r.oid) as \"member_of!\" \
         from pg_roles r where rolname in ('xboard_app', 'xboard_system') order by rolname",
        privilege
    )
    .fetch_all(connection)
    .await?;
    for name in [APP, SYSTEM] {
        let Some(role) = found.iter().find(|role| role.name == name) else {
            findings.push(format!("the role {name} is missing"));
            continue;
        };
        if role.bypasses {
            findings.push(format!("these roles bypass row security: {name}"));
        }
        if role.signs_in {
            findings.push(format!(
                "the role {name} can sign in: alter role {name} nologin"
            ));
        }
        if role.powerful {
            findings.push(format!(
                "the role {name} may make roles or databases or replicate: alter role {name} nocreaterole nocreatedb noreplication"
            ));
        }
        for other in &role.member_of {
            findings.push(format!(
                "the role {name} has the rights of another: revoke {other} from {name}"
            ));
        }
        if !role.reachable {
            let user = &role.user;
            findings.push(format!(
                "the user {user} cannot become the role {name}: grant {name} to {user}"
            ));
        }
    }
    Ok(findings)
}

async fn tables(connection: &mut sqlx::PgConnection) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let open = sqlx::query_scalar!(
        "select c.relname::text as \"name!\" from pg_class c \
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped \
         where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace \
           and not (c.relrowsecurity and c.relforcerowsecurity \
                    and exists (select from pg_policy p where p.polrelid = c.oid)) order by 1"
    )
    .fetch_all(&mut *connection)
    .await?;
    if !open.is_empty() {
        findings.push(format!(
            "these tables lack forced row security: {}",
            open.join(", ")
        ));
    }
    let views = sqlx::query_scalar!(
        "select c.relname::text as \"name!\" from pg_class c, aclexplode(c.relacl) a \
         where c.relkind in ('v', 'm') and c.relnamespace = 'public'::regnamespace \
           and (a.grantee = 0 or a.grantee in (select oid from pg_roles where rolname in ('xboard_app', 'xboard_system'))) \
           and not coalesce('security_invoker=true' = any(c.reloptions), false) \
         group by 1 order by 1"
    )
    .fetch_all(connection)
    .await?;
    if !views.is_empty() {
        findings.push(format!(
            "these views read with the rights of their owner (security_invoker is off): {}",
            views.join(", ")
        ));
    }
    Ok(findings)
}

async fn policies(connection: &mut sqlx::PgConnection) -> Result<Vec<String>> {
    let found = sqlx::query!(
        "select c.relname::text as \"table!\", p.polname::text as \"policy!\", \
           pg_get_expr(p.polqual, p.polrelid) as condition, pg_get_expr(p.polwithcheck, p.polrelid) as written, \
           0 = any(p.polroles) as \"for_everybody!\", \
           array(select r.rolname::text from pg_roles r where r.oid = any(p.polroles)) as \"roles!\" \
         from pg_policy p join pg_class c on c.oid = p.polrelid \
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped \
         where c.relnamespace = 'public'::regnamespace and p.polpermissive order by 1, 2"
    )
    .fetch_all(connection)
    .await?;
    let mut findings = Vec::new();
    for policy in found {
        let (table, name) = (&policy.table, &policy.policy);
        let has = |role: &str| policy.roles.iter().any(|one| one == role);
        let only_own = [&policy.condition, &policy.written]
            .into_iter()
            .flatten()
            .all(|condition| condition == OWN_ROWS);
        if policy.for_everybody {
            findings.push(format!("the policy {name} of {table} holds for every role"));
        } else if has(APP) && !only_own {
            findings.push(format!(
                "the policy {name} of {table} lets {APP} at rows of other stores"
            ));
        } else if has(SYSTEM) && !DIRECTORY.contains(&table.as_str()) {
            findings.push(format!(
                "the policy {name} lets {SYSTEM} at {table}, a store's own table"
            ));
        }
    }
    Ok(findings)
}

/// Rights that policies do not limit: row security does not apply to TRUNCATE, for example.
async fn rights(connection: &mut sqlx::PgConnection) -> Result<Vec<String>> {
    let found = sqlx::query!(
        "select c.relname::text as \"table!\", coalesce(r.rolname::text, 'public') as \"role!\", \
           a.privilege_type as \"right!\", c.relowner = r.oid as owns, \
           exists (select from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id' \
                   and not t.attisdropped) as \"of_a_store!\", \
           exists (select from aclexplode(c.relacl) s join pg_roles o on o.oid = s.grantee \
                   where o.rolname = 'xboard_system') as \"of_the_system!\" \
         from pg_class c cross join lateral aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a \
         left join pg_roles r on r.oid = a.grantee \
         where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace \
           and (a.grantee = 0 or r.rolname in ('xboard_app', 'xboard_system')) order by 1, 2, 3"
    )
    .fetch_all(connection)
    .await?;
    let mut findings = Vec::new();
    for held in found {
        let (table, role, right) = (&held.table, &held.role, &held.right);
        let is_plain = ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&right.as_str());
        let is_its_own = match role.as_str() {
            // A table without a tenant, such as the template of a temporary one, may be read.
            APP => held.of_a_store || (right == "SELECT" && !held.of_the_system),
            SYSTEM => !held.of_a_store || DIRECTORY.contains(&table.as_str()),
            _ => false,
        };
        if held.owns == Some(true) {
            findings.push(format!("the role {role} owns {table}"));
        } else if !is_plain || !is_its_own {
            findings.push(format!(
                "{role} has a right too many: revoke {} on {table} from {role}",
                right.to_lowercase()
            ));
        }
    }
    findings.dedup();
    Ok(findings)
}
