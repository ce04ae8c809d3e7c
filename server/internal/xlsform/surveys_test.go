package xlsform_test

// Five surveys as they are found in public: each uses other parts of XLSForm.

// householdListing has groups, two languages by code, or_other and what phones know.
const householdListing = `
# survey
type | name | label::English (en) | label::中文 (zh) | hint::English (en) | hint::中文 (zh) | required | relevant | constraint | constraint_message::中文 (zh) | gridsync_type | gridsync_measure
start | start | | | | | | | | | |
deviceid | device | | | | | | | | | |
begin_group | place | Where | 位置 | | | | | | | |
text | address | Address | 地址 | As on the door | 按门牌填写 | yes | | | | |
select_one dwelling or_other | dwelling | Dwelling | 住房类型 | | | yes | | | | |
end_group | | | | | | | | | | |
acknowledge | consent | Do you agree to be listed? | 是否同意登记？ | | | | | | | |
begin_group | people | People | 人口 | | | | ${consent} = 'OK' | | | |
text | head | Head of household | 户主 | | | yes | | | | |
text | contact | Mobile | 手机号 | | | | | | | mobile |
integer | members | Members | 人数 | | | yes | | . >= 1 and . <= 40 | 人数应为 1 至 40 | | person
integer | under5 | Under five | 五岁以下 | | | | ${members} > 1 | . < ${members} | 应少于总人数 | | person
end_group | | | | | | | | | | |
text | remarks | Remarks | 备注 | | | | | | | |

# choices
list_name | name | label::English (en) | label::中文 (zh)
dwelling | house | House | 独栋
dwelling | flat | Flat | 楼房
dwelling | dormitory | Dormitory | 宿舍

# settings
form_title | form_id | version | default_language
住户登记 | household_listing | 2020013001 | 中文 (zh)
`

// vaccinationRound has a date that must be given, select_multiple, a calculation, and
// relevant by selected().
const vaccinationRound = `
# survey
type | name | label | required | relevant | constraint | constraint_message | calculation | gridsync_measure
today | today | | | | | | |
date | visit_date | Date of the visit | yes | | . <= today() | Not in the future | |
text | child | Name of the child | yes | | | | |
date | birth | Date of birth | yes | | . <= ${today} | Not in the future | |
calculate | age_days | | | | | | ${visit_date} - ${birth} |
select_multiple vaccines | given | Given today | | | not(selected(., 'none') and count-selected(.) > 1) | None stands alone | | yes
select_one reasons | reason | Why none? | yes | selected(${given}, 'none') | | | |
text | reason_text | Which other reason? | | ${reason} = 'other' | | | |
dateTime | next_visit | Next appointment | | not(selected(${given}, 'none')) | | | |
note | thanks | Thank the family, and hand out the card. | | | | | |

# choices
list_name | name | label
vaccines | opv | OPV
vaccines | measles | Measles
vaccines | none | None
reasons | absent | Absent
reasons | ill | Ill
reasons | other | Other

# settings
form_title | form_id | gridsync_counts
Vaccination round | vaccination_round | person
`

// floodDamage has the types of older forms, a range, nested groups, and columns by one colon.
const floodDamage = `
# survey
type | name | label:Chinese | label:English | hint:English | required | relevance | constraint | constraining message | appearance | parameters
dateTime | seen_at | 查看时间 | Seen at | | true() | | | | |
begin group | building | 建筑 | Building | | | | | | |
select1 walls | walls | 墙体 | Walls | | yes | | | | minimal |
range | depth | 水深（厘米） | Depth of water, cm | At the deepest place | | | | | | start=0 end=500 step=5
begin group | harm | 损坏 | Damage | | | ${depth} > 50 | | | |
select one damage | damage | 损坏程度 | Damage | | yes | | | | |
decimal | loss | 损失（元） | Loss, yuan | | | ${damage} = "total" or ${damage} = "partial" | .>=0 | At least 0 | |
end group | | | | | | | | | |
end group | | | | | | | | | |
time | since | 断电时间 | Without power since | | | | | | |
note | mind | 不要进入危房 | Do not enter unsafe houses | | | | | | |
string | notes | 说明 | Notes | | | | | | multiline |

# choices
list name | name | label:Chinese | label:English
walls | brick | 砖 | Brick
walls | adobe | 土坯 | Adobe
walls | concrete | 混凝土 | Concrete
damage | none | 无 | None
damage | partial | 部分 | Partial
damage | total | 全毁 | Total

# settings
set form title | set form id
水灾损失评估 | flood-damage
`

// waterPoint has one language, Chinese names, smart quotes, a flag, rules and classes of ours.
const waterPoint = `
# survey
type | name | label | required | relevant | constraint | constraint_message | gridsync_unit | gridsync_rule | gridsync_class | gridsync_flag | gridsync_flag_label | gridsync_measure
date | checked_on | 检查日期 | yes | | | | | | | | |
text | 水源名称 | 水源名称 | yes | | | | | once | open | | |
select_one source | source | 水源类型 | yes | | | | | | open | | | yes
select_one state | state | 状况 | yes | | | | | severest | | . = 'dry' | 水源干涸 | yes
decimal | chlorine | 余氯 | | ${state} != ‘dry’ | . >= 0 and . <= 10 | 余氯应为 0 至 10 | mg/L | | | . < 0.05 | 余氯不足 |
integer | users | 使用户数 | | | . >= 0 | | | latest | | | | household
barcode | tag | 水源标牌 | | | | | | | open | | |
select_multiple trouble | trouble | 存在问题 | | ${state} != 'ok' | | | | | | | |

# choices
list_name | name | label
source | well | 水井
source | tap | 自来水
state | ok | 正常
state | weak | 水量不足
state | dry | 干涸
trouble | smell | 异味
trouble | broken | 损坏

# settings
form_title | form_id | gridsync_moment
供水点检查 | 供水点检查 | checked_on
`

// muac has a screening with no date, a repeat-free list of measurements, calculations that
// build on each other, and a trigger that must be ticked.
const muac = `
# survey
type | name | label::English | label::Chinese | label::Français (fr) | required | relevant | constraint | constraint_message::English | calculation | gridsync_type | gridsync_flag | gridsync_measure
trigger | consent | The mother agrees | 母亲同意 | La mère accepte | yes | | | | | | |
text | child | Child | 儿童姓名 | Enfant | yes | | | | | ref person | |
integer | months | Age in months | 月龄 | Âge | yes | | . >= 6 and . < 60 | 6 to 59 months | | | |
select_one yn | oedema | Oedema of both feet | 双足水肿 | Oedème | yes | | | | | | |
integer | muac | MUAC in mm | 上臂围（毫米） | PB en mm | yes | ${oedema} = 'no' | . >= 80 and . <= 220 | 80 to 220 mm | | | . < 125 | ${muac} < 115
calculate | state | | | | | | | | if(${oedema} = 'yes' or ${muac} < 115, 'severe', if(${muac} < 125, 'moderate', 'well')) | text | |
calculate | years | | | | | | | | int(${months} div 12) | integer | |
select_one yn | referred | Referred | 已转诊 | Référé | yes | ${state} != 'well' | | | | | |

# choices
list_name | name | label::English | label::Chinese
yn | yes | Yes | 是
yn | no | No | 否

# settings
form_title | form_id
MUAC screening | muac_screening
`
