//! Facts: users, tenants, instances, role assignments and relationship tuples. One file each.

mod find;
